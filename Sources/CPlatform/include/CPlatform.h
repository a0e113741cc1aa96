// The few Linux calls that Swift's Glibc module does not show (they need _GNU_SOURCE, are variadic or are macros).
// Every function returns a negative errno on failure unless its comment says otherwise; none of them logs or allocates.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Starts `path` in `directory` (null: the caller's) with descriptor `sources[i]` as `targets[i]` and nothing else from
/// `close_from` up. The child begins with an empty signal mask and default dispositions. Returns the pid.
int cplatform_spawn(const char *path, char *const argv[], char *const envp[], const char *directory,
                    const int *sources, const int *targets, int count, int close_from);

/// An anonymous file in memory, close-on-exec.
int cplatform_memfd(const char *name);

/// Opens a file for appending, created with `mode` when absent, close-on-exec.
int cplatform_open_append(const char *path, unsigned mode);

/// Opens a file for reading, close-on-exec.
int cplatform_open_read(const char *path);

/// A non-blocking, close-on-exec event counter.
int cplatform_eventfd(void);

/// A set of descriptors to wait on (epoll), close-on-exec.
int cplatform_poller(void);
/// Adds `fd`, or changes what is awaited of it: the CPLATFORM_READABLE... bits.
int cplatform_poller_add(int poller, int fd, unsigned events);
int cplatform_poller_change(int poller, int fd, unsigned events);
int cplatform_poller_remove(int poller, int fd);
/// What a descriptor is ready for.
struct cplatform_ready {
    int fd;
    unsigned events;
};
/// Waits up to `milliseconds` (-1: for ever), or until interrupted by a signal. Returns how many are ready.
int cplatform_poller_wait(int poller, struct cplatform_ready *ready, int capacity, int milliseconds);

/// Fills the buffer with random bytes from the kernel; blocks only before the kernel's pool is initialised at boot.
int cplatform_random(void *bytes, size_t count);

/// The next connection of a listening socket, non-blocking and close-on-exec; blocks while there is none.
int cplatform_accept(int listener);

/// How many CPUs this thread may run on; handles machines with more CPUs than a fixed cpu_set_t.
int cplatform_affinity_count(void);

/// The name shown by ps and top for the calling thread (at most 15 bytes); on the main thread also the process's.
int cplatform_set_thread_name(const char *name);

/// Waits for the end of a child, which stays a zombie; 0.
int cplatform_await_child(int pid);
/// A child that has ended and was not taken in yet; 0 when there is none. Never waits.
int cplatform_ended_child(void);

/// Opens an executable for nothing but being started, close-on-exec.
int cplatform_open_executable(const char *path);

/// Blocks all signals for the calling thread, or none.
int cplatform_block_signals(int all);

/// Makes this process the parent of descendants whose own parent dies.
int cplatform_become_reaper(void);

int cplatform_set_close_on_exec(int fd, int on);
int cplatform_set_non_blocking(int fd, int on);
int cplatform_duplicate(int fd);

/// Signals, without depending on which thread they arrive at or which masks threads have: a handler counts the signal and
/// wakes `wake_fd` (an eventfd). A signal has at most one watcher: -EBUSY otherwise.
int cplatform_signal_watch(int signo, int wake_fd);
/// Goes back to the default disposition, or to ignoring the signal.
int cplatform_signal_unwatch(int signo, int ignore);
/// How often the signal came since the last call.
unsigned cplatform_signal_take(int signo);
int cplatform_signal_ignore(int signo);

/// The exit status in a wait status, or -1; the terminating signal, or 0; whether a core was written.
int cplatform_wait_exit_status(int status);
int cplatform_wait_signal(int status);
int cplatform_wait_dumped_core(int status);

#include "openat2.h"
#endif
