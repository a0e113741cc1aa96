// The few Linux calls that Swift's Glibc module does not show (they need _GNU_SOURCE, are variadic or are macros).
// Every function returns a negative errno on failure unless its comment says otherwise; none of them logs or allocates.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Who a process is to become. `groups` are all of its groups.
struct cplatform_identity {
    uid_t user;
    gid_t group;
    const gid_t *groups;
    int group_count;
    /// Whether programs it starts may gain rights by set-user-id bits and file capabilities.
    int no_new_privileges;
};

/// Where becoming somebody else, or starting a program, failed.
enum cplatform_stage {
    CPLATFORM_STAGE_PREPARE = 1,
    CPLATFORM_STAGE_GROUPS,
    CPLATFORM_STAGE_GROUP,
    CPLATFORM_STAGE_USER,
    CPLATFORM_STAGE_CAPABILITIES,
    CPLATFORM_STAGE_REGAINED,
    CPLATFORM_STAGE_NO_NEW_PRIVILEGES,
    CPLATFORM_STAGE_DIRECTORY,
    CPLATFORM_STAGE_EXEC,
};

/// Gives up what this process (in a child after fork: this thread) may do beyond `identity`, for good; checked. Returns 0,
/// or the stage that failed, with `errno` in `error`. Capabilities and no_new_privileges are the calling thread's.
int cplatform_assume(const struct cplatform_identity *identity, int *error);

/// Lets debuggers of the same user look into a process that has changed its user, and its core be written.
int cplatform_allow_dumps(void);

/// What access(2) would answer somebody else: `results[i]` is 0 or an errno for `paths[i]` and `modes[i]`.
int cplatform_access_as(const struct cplatform_identity *identity, const char *const *paths, const int *modes,
                        int *results, int count);

/// A program to start: `path` in `directory` (null: the caller's) with descriptor `sources[i]` as `targets[i]` and nothing
/// else from `close_from` up, as `identity` (null: the caller). It begins with an empty signal mask and default
/// dispositions.
struct cplatform_spawn {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;
    const int *sources;
    const int *targets;
    int count;
    int close_from;
    /// Whether it leads a process group of its own.
    int leads_group;
    const struct cplatform_identity *identity;
};

/// Returns the pid; on failure `stage` says where.
int cplatform_spawn(const struct cplatform_spawn *spawn, int *stage);

/// An anonymous file in memory, close-on-exec.
int cplatform_memfd(const char *name);

/// As cplatform_memfd, of `size` zero bytes, sealed at that size.
int cplatform_shared_memory(const char *name, size_t size);

/// Opens a file for appending, created with `mode` when absent, close-on-exec.
int cplatform_open_append(const char *path, unsigned mode);

/// The number of the file system a path is on, as statfs(2) has it.
long long cplatform_file_system(const char *path);

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

/// Unmaps the pages of all code and constants that are loaded; what is used again comes back from the page cache.
void cplatform_release_code(void);

/// Sends `count` bytes, at least one, and a copy of `fd` as one packet over a Unix socket; never waits.
int cplatform_send_descriptor(int socket, int fd, const void *bytes, size_t count);
/// Receives such a packet, its descriptor close-on-exec; never waits. Returns the number of bytes, 0 at the end.
ssize_t cplatform_receive_descriptor(int socket, int *fd, void *bytes, size_t capacity);

/// Who is at the other end of a Unix socket.
int cplatform_peer_credentials(int fd, int *pid, unsigned *uid, unsigned *gid);

/// How many connections wait on a listening TCP socket, and how many may.
int cplatform_listen_queue(int fd, unsigned *length, unsigned *limit);

/// Columns and rows of a terminal.
int cplatform_terminal_size(int fd, unsigned short *columns, unsigned short *rows);

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

/// A pipe, both ends close-on-exec: `ends[0]` to read from, `ends[1]` to write to.
int cplatform_pipe(int ends[2]);
int cplatform_set_close_on_exec(int fd, int on);
/// Gives the system what the allocator keeps for later.
void cplatform_trim_heap(void);
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
/// A descriptor that becomes readable when the child ends (close-on-exec), on kernels from 5.3.
int cplatform_process_descriptor(int pid);
/// Whether the child has ended; it stays a zombie. Never waits.
int cplatform_has_ended(int pid);
int cplatform_wait_exit_status(int status);
int cplatform_wait_signal(int status);
int cplatform_wait_dumped_core(int status);

/// What a thread is doing, for whoever looks at its stack: text that stays where it is as long as it is set, and a number to
/// know it by.
struct cplatform_work {
    const void *text;
    size_t count;
    size_t token;
};
extern __thread struct cplatform_work cplatform_current_work;

/// Says what the calling thread does from now on; the result is what it did before, to be put back.
static inline struct cplatform_work cplatform_begin_work(struct cplatform_work work) {
    struct cplatform_work before = cplatform_current_work;
    cplatform_current_work = work;
    return before;
}

enum { CPLATFORM_STACK_FRAMES = 64, CPLATFORM_WORK_LENGTH = 256 };

/// Where another thread stood, and what it was doing.
struct cplatform_stack {
    void *addresses[CPLATFORM_STACK_FRAMES];
    int count;
    char work[CPLATFORM_WORK_LENGTH];
    int work_count;
    size_t token;
};

/// Makes `signo` the signal by which threads are asked for their stacks. System calls it interrupts are restarted where the
/// kernel can.
int cplatform_stack_install(int signo);
/// Has the handler that somebody else has installed for `signo` meanwhile called by ours, on the thread that is asked; it
/// writes to the file of cplatform_stack_chain_output.
int cplatform_stack_chain(int signo);
int cplatform_stack_chain_output(void);
/// Asks a thread of this process for its stack, and waits for it: -ETIMEDOUT when it does not answer, -ESRCH when there is no
/// such thread. The thread gets the signal `next` (0: none) with it. Not called by two threads at once.
int cplatform_stack_take(int tid, int signo, int next, int milliseconds, struct cplatform_stack *stack);

/// The kernel's number of the calling thread.
int cplatform_thread_id(void);
/// Sends a signal to a thread of this process; -ESRCH when it has ended.
int cplatform_signal_thread(int tid, int signo);
/// Lets a signal reach the calling thread, whatever mask it has inherited.
int cplatform_unblock_signal(int signo);
/// SIGRTMIN + `offset`.
int cplatform_realtime_signal(int offset);

/// What is at an address: the file it was loaded from and where that begins, and the exported function, if any.
struct cplatform_symbol {
    size_t base;
    const char *file;
    const char *name;
};
/// -ENOENT when no file is loaded there.
int cplatform_find_symbol(size_t address, struct cplatform_symbol *symbol);

/// The readable form of a Swift symbol, to be freed; null for other symbols. Of Swift's runtime.
char *swift_demangle(const char *name, size_t count, char *buffer, size_t *buffer_count, unsigned flags);

#include "openat2.h"
#endif
