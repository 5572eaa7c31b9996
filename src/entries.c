/* entries.c - the one place that sees every room: who runs what after a fork, or in a fresh image */
#include "host/host.h"
#include "host/map.h"
#include "host/modules.h"
#include "host/template.h"
#include "region/boarding.h"
#include "region/heritage.h"
#include "supervisor/supervisor.h"
#include "system/image.h"
#include "system/process.h"

void heritage_entries(struct heritage *heritage) {
    heritage->supervisor_run = supervisor_run;
    heritage->host_run = host_run;
    heritage->template_run = template_run;
    heritage->module_preload = modules_preload;
    heritage->module_init = modules_init;
    heritage->map_run = map_run;
}

/* Called from elsewhere than the program itself (a binding in an interpreter, a plug-in) it proves nothing: started again,
 * the program would not come here, and do whatever it does without arguments. */
void mortal_host_main(void) {
    struct image_part caller;
    boarding_enter();
    if (image_find((uintptr_t)__builtin_return_address(0), &caller) && caller.is_program)
        process_say_enterable();
}
