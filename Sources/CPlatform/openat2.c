#define _GNU_SOURCE
#include "openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(PORTICO_O_PATH == O_PATH, "O_PATH differs on this architecture");

// The kernel's struct open_how, spelled out because headers older than 5.6 lack <linux/openat2.h>.
struct portico_open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

int portico_openat2(int directory, const char *path, int flags, unsigned long long resolve) {
#ifdef SYS_openat2
    struct portico_open_how how = {.flags = (uint64_t)(unsigned int)flags, .mode = 0, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
#else
    errno = ENOSYS;
    return -1;
#endif
}
