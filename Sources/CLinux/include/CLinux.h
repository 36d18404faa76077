// System calls that Swift's Glibc overlay hides behind _GNU_SOURCE.
#ifndef BALE_CLINUX_H
#define BALE_CLINUX_H

#include <stdint.h>
#include <sys/types.h>

/// Reserves `length` bytes of disk for `fd` from its start. Returns 0, or an errno value
/// (EOPNOTSUPP where the file system can't).
int bale_allocate(int fd, int64_t length);

/// Copies up to `length` bytes between files inside the kernel. Returns the bytes copied, or -1 with errno set.
ssize_t bale_copy_range(int source, int64_t source_offset, int destination, int64_t destination_offset, size_t length);

/// Opens for reading past the page cache; falls back to a plain open where O_DIRECT is refused.
int bale_open_direct(const char *path);

/// Renames without replacing an existing `to`. Returns 0, or -1 with errno set (EEXIST if `to` exists).
int bale_rename_new(const char *from, const char *to);

/// Asks the kernel to begin writing to disk what `fd` was given so far, without waiting for it. A hint: it can't fail.
void bale_start_writing(int fd);

#endif
