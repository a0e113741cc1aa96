#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define SIGNAL_COUNT 65

// The descriptor to wake, plus one, so that zero-initialised memory means "not watched".
static _Atomic int watchers[SIGNAL_COUNT];
static _Atomic unsigned pending[SIGNAL_COUNT];

// Only async-signal-safe work: two atomics and a write. The eventfd is non-blocking and cannot be full in practice, so a
// signal is never lost, and unlike with signalfd two signals of the same number count as two.
static void on_signal(int signo) {
    int saved = errno;
    int fd = atomic_load(&watchers[signo]) - 1;
    if (fd >= 0) {
        atomic_fetch_add(&pending[signo], 1);
        uint64_t one = 1;
        ssize_t ignored = write(fd, &one, sizeof one);
        (void)ignored;
    }
    errno = saved;
}

static int set_action(int signo, void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | (signo == SIGCHLD ? SA_NOCLDSTOP : 0);
    sigfillset(&action.sa_mask);
    return sigaction(signo, &action, NULL) == 0 ? 0 : -errno;
}

int cplatform_signal_watch(int signo, int wake_fd) {
    if (signo <= 0 || signo >= SIGNAL_COUNT) return -EINVAL;
    int none = 0;
    if (!atomic_compare_exchange_strong(&watchers[signo], &none, wake_fd + 1)) return -EBUSY;
    atomic_store(&pending[signo], 0);
    int result = set_action(signo, on_signal);
    if (result < 0) {
        atomic_store(&watchers[signo], 0);
        return result;
    }
    // A mask inherited from whoever started us must not hide the signal.
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signo);
    return -pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

int cplatform_signal_unwatch(int signo, int ignore) {
    if (signo <= 0 || signo >= SIGNAL_COUNT) return -EINVAL;
    int result = set_action(signo, ignore ? SIG_IGN : SIG_DFL);
    atomic_store(&watchers[signo], 0);
    return result;
}

unsigned cplatform_signal_take(int signo) {
    return signo > 0 && signo < SIGNAL_COUNT ? atomic_exchange(&pending[signo], 0) : 0;
}

int cplatform_block_signals(int all) {
    sigset_t set;
    if (all) sigfillset(&set); else sigemptyset(&set);
    return -pthread_sigmask(SIG_SETMASK, &set, NULL);
}

int cplatform_signal_ignore(int signo) { return set_action(signo, SIG_IGN); }
