#include "region/plant.h"

enum plant planted_bug = PLANT_NONE;
