/* A disk that fills or fails, for one process (LD_PRELOAD). The file named by DISK_ORDERS holds lines of three
 * words: a call (write, sync or truncate), an error (ENOSPC or EIO), and the end of a file's name. While a line
 * is there, calls of its kind on such files fail. Without the file nothing fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ordered(const char *call, int fd)
{
    const char *orders = getenv("DISK_ORDERS");
    if (!orders)
        return 0;
    int file = syscall(SYS_openat, AT_FDCWD, orders, O_RDONLY);
    if (file < 0)
        return 0;
    char text[512];
    ssize_t length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (length <= 0)
        return 0;
    text[length] = 0;

    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, name, sizeof name - 1);
    if (size < 0)
        return 0;
    name[size] = 0;

    char *rest;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char what[16], error[16], end[64];
        if (sscanf(line, "%15s %15s %63s", what, error, end) != 3 || strcmp(what, call))
            continue;
        size_t length_of_end = strlen(end);
        if ((size_t)size >= length_of_end && !strcmp(name + size - length_of_end, end))
            return strcmp(error, "EIO") ? ENOSPC : EIO;
    }
    return 0;
}

#define FAIL_IF_ORDERED(call, fd)         \
    do {                                  \
        int error_ = ordered(call, fd);   \
        if (error_) {                     \
            errno = error_;               \
            return -1;                    \
        }                                 \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t count)
{
    FAIL_IF_ORDERED("write", fd);
    return syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    FAIL_IF_ORDERED("write", fd);
    return syscall(SYS_pwrite64, fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    return pwrite64(fd, bytes, count, at);
}

int fsync(int fd)
{
    FAIL_IF_ORDERED("sync", fd);
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    FAIL_IF_ORDERED("sync", fd);
    return syscall(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t length)
{
    FAIL_IF_ORDERED("truncate", fd);
    return syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}
