/* entries.c - the one place that sees every room: who runs what after a fork */
#include "host/host.h"
#include "host/template.h"
#include "region/heritage.h"
#include "supervisor/supervisor.h"

void heritage_entries(struct heritage *heritage) {
    heritage->supervisor_run = supervisor_run;
    heritage->host_run = host_run;
    heritage->template_run = template_run;
}
