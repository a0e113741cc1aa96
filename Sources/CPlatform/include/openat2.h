#ifndef CPLATFORM_OPENAT2_H
#define CPLATFORM_OPENAT2_H

/// How openat2(2) resolves a path below its directory.
enum {
    PORTICO_RESOLVE_NO_MAGICLINKS = 0x02,
    PORTICO_RESOLVE_NO_SYMLINKS = 0x04,
    PORTICO_RESOLVE_BENEATH = 0x08,
};

/// O_PATH, which Swift's Glibc does not see.
enum { PORTICO_O_PATH = 010000000 };

/// openat2(2), which glibc does not wrap: a descriptor, or -1 with errno. ENOSYS where the kernel is older than 5.6.
int portico_openat2(int directory, const char *path, int flags, unsigned long long resolve);

#endif
