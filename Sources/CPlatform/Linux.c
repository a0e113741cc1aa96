#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <unistd.h>

static int result_or_errno(int result) { return result < 0 ? -errno : result; }

int cplatform_memfd(const char *name) { return result_or_errno(memfd_create(name, MFD_CLOEXEC)); }

int cplatform_shared_memory(const char *name, size_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int cplatform_peer_credentials(int fd, int *pid, unsigned *uid, unsigned *gid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    int family = 0;
    socklen_t size = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0) return -errno;
    if (family != AF_UNIX) return -EOPNOTSUPP;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int cplatform_send_descriptor(int socket, int fd, const void *bytes, size_t count) {
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr alignment;
    } control = {{0}};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(int));
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

ssize_t cplatform_receive_descriptor(int socket, int *fd, void *bytes, size_t capacity) {
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr alignment;
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t count;
    do count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    *fd = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof(int));
    return count;
}

int cplatform_listen_queue(int fd, unsigned *length, unsigned *limit) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return -errno;
    if (info.tcpi_state != TCP_LISTEN) return -EINVAL;
    // Of a listening socket these two are its queue's length and limit.
    *length = info.tcpi_unacked;
    *limit = info.tcpi_sacked;
    return 0;
}

int cplatform_terminal_size(int fd, unsigned short *columns, unsigned short *rows) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

int cplatform_open_append(const char *path, unsigned mode) {
    return result_or_errno(open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, mode));
}

int cplatform_open_read(const char *path) { return result_or_errno(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)); }

long long cplatform_file_system(const char *path) {
    struct statfs found;
    return statfs(path, &found) < 0 ? -errno : (long long)(unsigned)found.f_type;
}

void cplatform_trim_heap(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

int cplatform_eventfd(void) { return result_or_errno(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int cplatform_poller(void) { return result_or_errno(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int poller, int operation, int fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    return result_or_errno(epoll_ctl(poller, operation, fd, &event));
}

int cplatform_poller_add(int poller, int fd, unsigned events) { return control(poller, EPOLL_CTL_ADD, fd, events); }

int cplatform_poller_change(int poller, int fd, unsigned events) { return control(poller, EPOLL_CTL_MOD, fd, events); }

int cplatform_poller_remove(int poller, int fd) { return control(poller, EPOLL_CTL_DEL, fd, 0); }

int cplatform_poller_wait(int poller, struct cplatform_ready *ready, int capacity, int milliseconds) {
    enum { most = 256 };
    struct epoll_event events[most];
    int count = epoll_wait(poller, events, capacity < most ? capacity : most, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        ready[index].fd = events[index].data.fd;
        ready[index].events = events[index].events;
    }
    return count;
}

int cplatform_random(void *bytes, size_t count) {
    unsigned char *cursor = bytes;
    while (count > 0) {
        ssize_t got = getrandom(cursor, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        cursor += got;
        count -= (size_t)got;
    }
    return 0;
}

int cplatform_affinity_count(void) {
    // sched_getaffinity answers EINVAL while the set is smaller than the kernel's.
    for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set) return -ENOMEM;
        size_t size = CPU_ALLOC_SIZE(cpus);
        int failed = sched_getaffinity(0, size, set);
        int error = errno;
        int count = failed ? 0 : CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (!failed) return count;
        if (error != EINVAL) return -error;
    }
    return -EINVAL;
}

int cplatform_set_thread_name(const char *name) {
    return result_or_errno(prctl(PR_SET_NAME, name, 0, 0, 0));
}

int cplatform_open_executable(const char *path) {
    if (access(path, X_OK) != 0) return -errno;
    return result_or_errno(open(path, O_PATH | O_CLOEXEC));
}

int cplatform_become_reaper(void) { return result_or_errno(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

int cplatform_pipe(int ends[2]) { return result_or_errno(pipe2(ends, O_CLOEXEC)); }

int cplatform_set_close_on_exec(int fd, int on) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0) return -errno;
    return result_or_errno(fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC));
}

int cplatform_set_non_blocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return result_or_errno(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

int cplatform_duplicate(int fd) { return result_or_errno(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

int cplatform_accept(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

// Whether the loader has written into segments that are not writable now.
static int has_relocated_text(const struct dl_phdr_info *object) {
    for (int index = 0; index < object->dlpi_phnum; index++) {
        if (object->dlpi_phdr[index].p_type != PT_DYNAMIC) continue;
        const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[index].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_TEXTREL) return 1;
            if (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL) return 1;
        }
    }
    return 0;
}

static int release_code_of(struct dl_phdr_info *object, size_t size, void *page_size) {
    (void)size;
    if (object->dlpi_addr == getauxval(AT_SYSINFO_EHDR) || has_relocated_text(object)) return 0;
    uintptr_t page = *(const uintptr_t *)page_size;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_memsz + page - 1) & ~(page - 1);
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void cplatform_release_code(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(release_code_of, &page);
}
