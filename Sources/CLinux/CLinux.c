#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int bale_allocate(int fd, int64_t length) {
  while (fallocate(fd, 0, 0, length) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

ssize_t bale_copy_range(int source, int64_t source_offset, int destination, int64_t destination_offset, size_t length) {
  off_t from = source_offset, to = destination_offset;
  return copy_file_range(source, &from, destination, &to, length, 0);
}

int bale_open_direct(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
  if (fd < 0 && errno == EINVAL) fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd;
}

int bale_rename_new(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

void bale_start_writing(int fd) { sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }
