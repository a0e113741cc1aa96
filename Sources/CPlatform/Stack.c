#define _GNU_SOURCE
#include "CPlatform.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__thread struct cplatform_work cplatform_current_work;

// One stack at a time; the caller of cplatform_stack_take is alone. `wanted` is the thread, negative once it has begun.
static _Atomic int wanted;
static _Atomic int followed_by;
static struct cplatform_stack taken;
static void (*chained)(int);
static int chained_output = -1;

static void on_stack_signal(int signo) {
    int saved = errno;
    int me = (int)syscall(SYS_gettid);
    int expected = me;
    // A signal that comes after its sender has given up finds nothing wanted.
    if (atomic_compare_exchange_strong(&wanted, &expected, -me)) {
        taken.count = backtrace(taken.addresses, CPLATFORM_STACK_FRAMES);
        struct cplatform_work work = cplatform_current_work;
        size_t count = work.text ? work.count : 0;
        if (count > sizeof taken.work) count = sizeof taken.work;
        memcpy(taken.work, work.text, count);
        taken.work_count = (int)count;
        taken.token = work.token;
        if (chained) chained(signo);
        // Pending when this returns, so that nothing of the thread's own is run between the two.
        int next = atomic_load(&followed_by);
        if (next) cplatform_signal_thread(me, next);
        atomic_store(&wanted, 0);
    }
    errno = saved;
}

int cplatform_stack_install(int signo) {
    // The first call opens a library, which no signal handler may.
    void *here[1];
    backtrace(here, 1);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_stack_signal;
    action.sa_flags = SA_RESTART;
    return sigaction(signo, &action, NULL) == 0 ? 0 : -errno;
}

int cplatform_stack_chain_output(void) {
    if (chained_output < 0) chained_output = cplatform_memfd("stack");
    return chained_output;
}

int cplatform_stack_chain(int signo) {
    struct sigaction action;
    if (sigaction(signo, NULL, &action) != 0) return -errno;
    if (action.sa_handler != on_stack_signal && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
        chained = action.sa_handler;
    return cplatform_stack_install(signo);
}

int cplatform_stack_take(int tid, int signo, int next, int milliseconds, struct cplatform_stack *stack) {
    if (chained_output >= 0 && (ftruncate(chained_output, 0) != 0 || lseek(chained_output, 0, SEEK_SET) != 0)) return -errno;
    int none = 0;
    // Still set when a thread that was asked before is stuck in its handler.
    if (!atomic_compare_exchange_strong(&wanted, &none, tid)) return -EBUSY;
    atomic_store(&followed_by, next);
    int result = cplatform_signal_thread(tid, signo);
    for (int waited = 0; result == 0 && atomic_load(&wanted) != 0; waited++) {
        if (waited >= milliseconds) {
            int expected = tid;
            // One that has begun gets as long again to end.
            if (atomic_compare_exchange_strong(&wanted, &expected, 0)) return -ETIMEDOUT;
            if (waited >= 2 * milliseconds) return -ETIMEDOUT;
        }
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    if (result < 0) {
        atomic_store(&wanted, 0);
        return result;
    }
    *stack = taken;
    return 0;
}

int cplatform_find_symbol(size_t address, struct cplatform_symbol *symbol) {
    Dl_info info;
    if (!dladdr((void *)address, &info)) return -ENOENT;
    symbol->base = (size_t)info.dli_fbase;
    symbol->file = info.dli_fname;
    symbol->name = info.dli_sname;
    return 0;
}

int cplatform_thread_id(void) { return (int)syscall(SYS_gettid); }

int cplatform_signal_thread(int tid, int signo) {
    return syscall(SYS_tgkill, getpid(), tid, signo) == 0 ? 0 : -errno;
}

int cplatform_unblock_signal(int signo) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signo);
    return -pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

int cplatform_realtime_signal(int offset) { return SIGRTMIN + offset; }
