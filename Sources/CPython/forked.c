#define _GNU_SOURCE
#include "cpython.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// A process forked by the application has one thread and a copy of all memory, locks held by other threads included: here
// nothing of the server's may be touched but descriptors.

int cpython_is_forked;

static struct sockaddr_storage addresses[64];
static socklen_t lengths[64];
static int address_count;

void cpython_set_listeners(const int *descriptors, int count) {
    address_count = 0;
    for (int i = 0; i < count && address_count < 64; i++) {
        lengths[address_count] = sizeof addresses[0];
        struct sockaddr *address = (struct sockaddr *)&addresses[address_count];
        if (getsockname(descriptors[i], address, &lengths[address_count]) == 0) address_count++;
    }
}

static in_port_t port(const struct sockaddr_storage *address) {
    switch (address->ss_family) {
    case AF_INET: return ((const struct sockaddr_in *)address)->sin_port;
    case AF_INET6: return ((const struct sockaddr_in6 *)address)->sin6_port;
    default: return 0;
    }
}

// A connection that was accepted has the address of its listener, or at least its port, at this end.
static int is_ours(int descriptor) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return 0;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return 0;
    for (int i = 0; i < address_count; i++) {
        if (address.ss_family == AF_UNIX) {
            if (length > offsetof(struct sockaddr_un, sun_path) && length == lengths[i] &&
                memcmp(&address, &addresses[i], length) == 0)
                return 1;
        } else if (port(&address) != 0 && port(&address) == port(&addresses[i])) {
            return 1;
        }
    }
    return 0;
}

void cpython_begin_forked(void) {
    cpython_is_forked = 1;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return;
    int own = dirfd(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        int descriptor = atoi(entry->d_name);
        if (descriptor > 2 && descriptor != own && is_ours(descriptor)) close(descriptor);
    }
    closedir(folder);
}

void cpython_end_forked(void) {
    static const char text[] = "a process that the application forked came back into the server and ends here: "
                               "such a process has to end itself, by os._exit()\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(1);
}
