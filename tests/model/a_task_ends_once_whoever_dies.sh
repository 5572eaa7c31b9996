#!/bin/sh
# Each task gets one verdict, which is true, whoever is killed and when; in every order in which it can happen.
# models/slot.pml, searched; the bugs planted in it must be found. See models/README.md.
exec "$SRC/models/check.sh" all slot
