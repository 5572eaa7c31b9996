#include "trap.h"

#include "harness.h"

#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

#if defined(__x86_64__)

enum { TRAP_FLAG = 0x100 };

static _Thread_local struct {
    trap_hook  *hook;
    void       *context;
    struct trap at;
    const void *about_to_wake;
    int         rouse; /* the error that the sleep is to end with, or 0 */
    volatile bool is_over;
} now;

enum { SYSCALL_BYTES = 2 };

/* The command of the futex call that comes next, or -1. */
static long futex_command(const greg_t *registers)
{
    static const uint8_t syscall_code[SYSCALL_BYTES] = {0x0f, 0x05};
    if (memcmp((const void *)registers[REG_RIP], syscall_code, sizeof syscall_code) != 0 ||
        registers[REG_RAX] != SYS_futex)
        return -1;
    return registers[REG_RSI] & FUTEX_CMD_MASK;
}

static void look_ahead(struct trap *at, const greg_t *registers)
{
    long        command = futex_command(registers);
    const void *word = command >= 0 ? (const void *)registers[REG_RDI] : NULL;
    now.about_to_wake = command == FUTEX_WAKE ? word : NULL;
    bool sleeps = (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) &&
                  __atomic_load_n((const uint32_t *)word, __ATOMIC_SEQ_CST) == (uint32_t)registers[REG_RDX];
    at->waits = sleeps ? word : NULL;
    at->briefly = sleeps && registers[REG_R10] != 0;
}

void trap_rouse(int error) { now.rouse = error; }

void trap_stop(void) { now.is_over = true; }

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (now.is_over) {
        registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
        return;
    }
    now.at.count++;
    now.at.next = (uintptr_t)registers[REG_RIP];
    now.at.argument = (uintptr_t)registers[REG_RDI];
    now.at.woken = now.about_to_wake;
    look_ahead(&now.at, registers);
    now.hook(&now.at, now.context);
    if (now.rouse != 0) {
        registers[REG_RAX] = -now.rouse;
        registers[REG_RIP] += SYSCALL_BYTES;
        now.rouse = 0;
    }
}

static __attribute__((noinline)) void step_through(void (*body)(void *), void *argument)
{
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
    body(argument);
    now.is_over = true;
}

uint64_t trap_run(void (*body)(void *), void *argument, trap_hook *hook, void *context)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO}; /* it stays: others may be stepped too */
    sigset_t         trap_only, mask;
    sigemptyset(&action.sa_mask);
    sigemptyset(&trap_only);
    sigaddset(&trap_only, SIGTRAP);
    memset(&now, 0, sizeof now);
    now.hook = hook;
    now.context = context;
    CHECK_EQ(sigaction(SIGTRAP, &action, NULL), 0);
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &trap_only, &mask), 0);
    step_through(body, argument);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    return now.at.count;
}

static void no_hook(const struct trap *at, void *context) { (void)at, (void)context; }
static void no_body(void *argument) { (void)argument; }

const char *trap_impossible(void)
{
    return trap_run(no_body, NULL, no_hook, NULL) > 0 ? NULL : "the trap flag does nothing on this machine";
}

#else

void trap_rouse(int error) { (void)error; }

void trap_stop(void) {}

const char *trap_impossible(void) { return "one instruction at a time: only x86-64 has the trap flag"; }

uint64_t trap_run(void (*body)(void *), void *argument, trap_hook *hook, void *context)
{
    (void)body, (void)argument, (void)hook, (void)context;
    return 0;
}

#endif
