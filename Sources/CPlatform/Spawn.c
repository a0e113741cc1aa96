#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Sources and targets may overlap (source 4 → 3 while source 3 → 4), so everything is first copied above both.
static int first_free(const struct cplatform_spawn *spawn) {
    int base = spawn->close_from;
    for (int i = 0; i < spawn->count; i++) {
        if (spawn->sources[i] >= base) base = spawn->sources[i] + 1;
        if (spawn->targets[i] >= base) base = spawn->targets[i] + 1;
    }
    return base;
}

static int spawn_as_caller(const struct cplatform_spawn *spawn) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }

    int base = first_free(spawn), count = spawn->count;
    for (int i = 0; i < count && !error; i++)
        error = posix_spawn_file_actions_adddup2(&actions, spawn->sources[i], base + i);
    for (int i = 0; i < count && !error; i++)
        error = posix_spawn_file_actions_adddup2(&actions, base + i, spawn->targets[i]);
    if (!error && spawn->directory) error = posix_spawn_file_actions_addchdir_np(&actions, spawn->directory);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, spawn->close_from);

    // A mask and ignored signals would otherwise be inherited through exec, from whichever thread calls this.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (spawn->leads_group) flags |= POSIX_SPAWN_SETPGROUP;
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error) error = posix_spawnattr_setflags(&attributes, flags);

    pid_t pid = 0;
    if (!error) error = posix_spawn(&pid, spawn->path, &actions, &attributes, spawn->argv, spawn->envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : pid;
}

// What the child says to its parent when it does not come to its program.
struct failure {
    int stage;
    int error;
};

static void close_all_from(int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0) return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (limit > 0 ? limit : 1024); fd++) close(fd);
}

// In the child, between fork and exec: only system calls. `report` is moved along.
static struct failure become_program(const struct cplatform_spawn *spawn, int *report) {
    struct failure failure = {CPLATFORM_STAGE_PREPARE, 0};
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signo = 1; signo < 65; signo++) sigaction(signo, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (spawn->leads_group && setpgid(0, 0) < 0) goto failed;
    int base = first_free(spawn) + 1, count = spawn->count;
    if (*report >= base) base = *report + 1;
    for (int i = 0; i < count; i++)
        if (dup2(spawn->sources[i], base + i) < 0) goto failed;
    int kept = dup2(*report, base + count);
    if (kept < 0) goto failed;
    *report = kept;
    for (int i = 0; i < count; i++)
        if (dup2(base + i, spawn->targets[i]) < 0) goto failed;
    // The report's own place: above all targets, and it goes with exec.
    if (dup3(kept, spawn->close_from, O_CLOEXEC) < 0) goto failed;
    *report = spawn->close_from;
    close_all_from(spawn->close_from + 1);

    failure.stage = cplatform_assume(spawn->identity, &failure.error);
    if (failure.stage) return failure;
    failure.stage = CPLATFORM_STAGE_DIRECTORY;
    if (spawn->directory && chdir(spawn->directory) < 0) goto failed;
    failure.stage = CPLATFORM_STAGE_EXEC;
    execve(spawn->path, spawn->argv, spawn->envp);
failed:
    failure.error = errno;
    return failure;
}

// posix_spawn cannot change the user, and vfork would share memory with a process of lesser rights.
static int spawn_as_another(const struct cplatform_spawn *spawn, int *stage) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        int report = ends[1];
        struct failure failure = become_program(spawn, &report);
        ssize_t written = write(report, &failure, sizeof failure);
        (void)written;
        _exit(127);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -error;
    }
    struct failure failure;
    ssize_t count;
    do count = read(ends[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(ends[0]);
    if (count != (ssize_t)sizeof failure) return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    *stage = failure.stage;
    return -failure.error;
}

int cplatform_spawn(const struct cplatform_spawn *spawn, int *stage) {
    *stage = CPLATFORM_STAGE_EXEC;
    return spawn->identity ? spawn_as_another(spawn, stage) : spawn_as_caller(spawn);
}

int cplatform_process_descriptor(int pid) {
#ifdef SYS_pidfd_open
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
#else
    return -ENOSYS;
#endif
}

int cplatform_has_ended(int pid) {
    siginfo_t info = {.si_pid = 0};
    int result;
    do result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : info.si_pid == pid;
}

int cplatform_await_child(int pid) {
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0) {
        if (errno != EINTR) return -errno;
    }
    return 0;
}

int cplatform_ended_child(void) {
    siginfo_t info;
    info.si_pid = 0;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) != 0) {
        if (errno != EINTR) return -errno;
    }
    return info.si_pid;
}

int cplatform_wait_exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
int cplatform_wait_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
int cplatform_wait_dumped_core(int status) { return WIFSIGNALED(status) && WCOREDUMP(status); }
