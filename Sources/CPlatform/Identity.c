#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int drop_capabilities(void) {
    // A process that had them without being root would keep them.
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof none);
    return (int)syscall(SYS_capset, &header, none);
}

int cplatform_assume(const struct cplatform_identity *identity, int *error) {
    int stage = CPLATFORM_STAGE_GROUPS;
    if (setgroups((size_t)identity->group_count, identity->groups) < 0) goto failed;
    stage = CPLATFORM_STAGE_GROUP;
    if (setresgid(identity->group, identity->group, identity->group) < 0) goto failed;
    stage = CPLATFORM_STAGE_USER;
    if (setresuid(identity->user, identity->user, identity->user) < 0) goto failed;
    if (identity->user != 0) {
        stage = CPLATFORM_STAGE_CAPABILITIES;
        if (drop_capabilities() < 0) goto failed;
        // Kernels and sandboxes have been known to answer 0 and to do nothing.
        stage = CPLATFORM_STAGE_REGAINED;
        errno = EPERM;
        if (setresuid(0, 0, 0) == 0 || setresuid(-1, 0, -1) == 0) goto failed;
        uid_t real, effective, saved;
        if (getresuid(&real, &effective, &saved) < 0) goto failed;
        errno = EPERM;
        if (real != identity->user || effective != identity->user || saved != identity->user) goto failed;
    }
    stage = CPLATFORM_STAGE_NO_NEW_PRIVILEGES;
    if (identity->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) goto failed;
    return 0;
failed:
    *error = errno;
    return stage;
}

int cplatform_allow_dumps(void) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? -errno : 0; }

int cplatform_access_as(const struct cplatform_identity *identity, const char *const *paths, const int *modes,
                        int *results, int count) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    if (pid == 0) {
        int error = 0;
        int stage = cplatform_assume(identity, &error);
        for (int i = 0; i < count; i++) {
            int result = stage ? error : faccessat(AT_FDCWD, paths[i], modes[i], AT_EACCESS) == 0 ? 0 : errno;
            if (write(ends[1], &result, sizeof result) != (ssize_t)sizeof result) _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    int got = 0;
    while (got < count) {
        ssize_t size = read(ends[0], &results[got], sizeof results[got]);
        if (size < 0 && errno == EINTR) continue;
        if (size != (ssize_t)sizeof results[got]) break;
        got++;
    }
    close(ends[0]);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    return got == count ? 0 : -EIO;
}
