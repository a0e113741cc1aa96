#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

int cplatform_spawn(const char *path, char *const argv[], char *const envp[], const char *directory,
                    const int *sources, const int *targets, int count, int close_from) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }

    // Sources and targets may overlap (source 4 → 3 while source 3 → 4), so everything is first copied above both.
    int base = close_from;
    for (int i = 0; i < count; i++) {
        if (sources[i] >= base) base = sources[i] + 1;
        if (targets[i] >= base) base = targets[i] + 1;
    }
    for (int i = 0; i < count && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, sources[i], base + i);
    for (int i = 0; i < count && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, base + i, targets[i]);
    if (!error && directory) error = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, close_from);

    // A mask and ignored signals would otherwise be inherited through exec, from whichever thread calls this.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    pid_t pid = 0;
    if (!error) error = posix_spawn(&pid, path, &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : pid;
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
