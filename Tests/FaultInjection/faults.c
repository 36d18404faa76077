// Preloaded into the command under test: makes the k-th call of one system call on the files of a test fail.
//   FAULT_CALL   pwrite, pread, copy, fallocate, fsync, ftruncate, close, rename, open, or malloc: allocations of 32 KiB
//                or more, whatever they are for
//   FAULT_AT     the number of the call, counted from 1
//   FAULT_KIND   a number: the errno; "short": half of the bytes; "kill": SIGKILL before the call;
//                "power": SIGKILL after the loss of what was written and not flushed, all of it or every second sector;
//                "cut": the file FAULT_FILE is truncated to half before the call; "touch": a byte is appended to it
//   FAULT_MARKER a file that is made when the fault strikes
//   FAULT_BELOW  only paths, or descriptors of paths, that start so
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum outcome { PASS, FAIL, SHORT };

static atomic_long calls;

static int is_below(const char *path) {
  const char *below = getenv("FAULT_BELOW");
  return path && below && strncmp(path, below, strlen(below)) == 0;
}

static int is_below_descriptor(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

static void change_file(const char *kind) {
  const char *file = getenv("FAULT_FILE");
  struct stat status;
  if (!file || stat(file, &status) != 0) return;
  if (strcmp(kind, "cut") == 0) {
    syscall(SYS_truncate, file, status.st_size / 2);
  } else {
    int fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND);
    syscall(SYS_write, fd, "x", 1);
    syscall(SYS_close, fd);
  }
}

static void mark(void) {
  const char *marker = getenv("FAULT_MARKER");
  if (!marker) return;
  int fd = syscall(SYS_openat, AT_FDCWD, marker, O_WRONLY | O_CREAT, 0600);
  if (fd >= 0) syscall(SYS_close, fd);
}

// ---- Power loss: what was written to each file since it was last flushed ----

enum { MOST_FILES = 64, MOST_WRITES = 4096, SECTOR = 512 };

static struct unflushed {
  dev_t device;
  ino_t inode;
  int fd;
  int count;
  struct { off_t start; size_t bytes; } writes[MOST_WRITES];
} files[MOST_FILES];
static int file_count;
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

static int loses_power(void) {
  const char *kind = getenv("FAULT_KIND");
  return kind && strncmp(kind, "power", 5) == 0;
}

// The file of a descriptor, held open by one of its own; the lock is held.
static struct unflushed *unflushed(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
  for (int i = 0; i < file_count; i++)
    if (files[i].device == status.st_dev && files[i].inode == status.st_ino) return &files[i];
  if (file_count == MOST_FILES) abort();
  struct unflushed *file = &files[file_count++];
  *file = (struct unflushed){.device = status.st_dev, .inode = status.st_ino, .fd = syscall(SYS_dup, fd)};
  return file;
}

static void note_write(int fd, off_t start, ssize_t bytes) {
  if (bytes <= 0 || !loses_power() || !is_below_descriptor(fd)) return;
  pthread_mutex_lock(&files_lock);
  struct unflushed *file = unflushed(fd);
  if (file && file->count == MOST_WRITES) abort();
  if (file) file->writes[file->count].start = start, file->writes[file->count++].bytes = (size_t)bytes;
  pthread_mutex_unlock(&files_lock);
}

static void note_flush(int fd) {
  if (!loses_power() || !is_below_descriptor(fd)) return;
  pthread_mutex_lock(&files_lock);
  struct unflushed *file = unflushed(fd);
  if (file) file->count = 0;
  pthread_mutex_unlock(&files_lock);
}

// Zeroes the sectors that never reached the disk: with "power-half" every second one, as if they had been reordered.
static void lose_power(const char *kind) {
  static const char zeros[SECTOR];
  int step = strcmp(kind, "power-half") == 0 ? 2 : 1;
  pthread_mutex_lock(&files_lock);
  for (int i = 0; i < file_count; i++)
    for (int j = 0; j < files[i].count; j++) {
      off_t start = files[i].writes[j].start, end = start + (off_t)files[i].writes[j].bytes;
      for (off_t at = start; at < end; at += step * SECTOR)
        syscall(SYS_pwrite64, files[i].fd, zeros, end - at < SECTOR ? end - at : SECTOR, at);
    }
}

static enum outcome strike(const char *call) {
  const char *wanted = getenv("FAULT_CALL"), *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND");
  if (!wanted || !at || !kind || strcmp(wanted, call) != 0) return PASS;
  if (atomic_fetch_add(&calls, 1) + 1 != atol(at)) return PASS;
  mark();
  if (strcmp(kind, "kill") == 0) syscall(SYS_kill, getpid(), SIGKILL);
  if (loses_power()) {
    lose_power(kind);
    syscall(SYS_kill, getpid(), SIGKILL);
  }
  if (strcmp(kind, "short") == 0) return SHORT;
  if (strcmp(kind, "cut") == 0 || strcmp(kind, "touch") == 0) {
    change_file(kind);
    return PASS;
  }
  errno = atoi(kind);
  return FAIL;
}

// The call behind this one. It is looked up once: a lookup takes the linker's lock, which a dying process may not get.
#define NEXT(name)                                                \
  ({                                                              \
    static _Atomic(void *) found;                                 \
    if (!atomic_load(&found)) atomic_store(&found, dlsym(RTLD_NEXT, #name)); \
    (__typeof__(&name))atomic_load(&found);                       \
  })

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  enum outcome outcome = is_below_descriptor(fd) ? strike("pwrite") : PASS;
  if (outcome == FAIL) return -1;
  ssize_t written = NEXT(pwrite)(fd, bytes, outcome == SHORT ? (count + 1) / 2 : count, offset);
  note_write(fd, offset, written);
  return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) { return pwrite(fd, bytes, count, offset); }

ssize_t pread(int fd, void *bytes, size_t count, off_t offset) {
  enum outcome outcome = is_below_descriptor(fd) ? strike("pread") : PASS;
  if (outcome == FAIL) return -1;
  return NEXT(pread)(fd, bytes, outcome == SHORT ? (count + 1) / 2 : count, offset);
}

ssize_t pread64(int fd, void *bytes, size_t count, off_t offset) { return pread(fd, bytes, count, offset); }

ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned flags) {
  enum outcome outcome = is_below_descriptor(to) ? strike("copy") : PASS;
  if (outcome == FAIL) return -1;
  off_t start = to_offset ? *to_offset : lseek(to, 0, SEEK_CUR);
  ssize_t written =
      NEXT(copy_file_range)(from, from_offset, to, to_offset, outcome == SHORT ? (count + 1) / 2 : count, flags);
  note_write(to, start, written);
  return written;
}

int fallocate(int fd, int mode, off_t offset, off_t length) {
  if (is_below_descriptor(fd) && strike("fallocate") != PASS) return -1;
  return NEXT(fallocate)(fd, mode, offset, length);
}

int fallocate64(int fd, int mode, off_t offset, off_t length) { return fallocate(fd, mode, offset, length); }

int fsync(int fd) {
  if (is_below_descriptor(fd) && strike("fsync") != PASS) return -1;
  int result = NEXT(fsync)(fd);
  if (result == 0) note_flush(fd);
  return result;
}

int ftruncate(int fd, off_t length) {
  if (is_below_descriptor(fd) && strike("ftruncate") != PASS) return -1;
  return NEXT(ftruncate)(fd, length);
}

int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

// Linux closes the descriptor whatever `close` answers.
int close(int fd) {
  int fails = is_below_descriptor(fd) && strike("close") != PASS;
  int code = errno;
  int result = NEXT(close)(fd);
  if (!fails) return result;
  errno = code;
  return -1;
}

int rename(const char *from, const char *to) {
  if (is_below(to) && strike("rename") != PASS) return -1;
  return NEXT(rename)(from, to);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
  if (is_below(to) && strike("rename") != PASS) return -1;
  return NEXT(renameat2)(from_directory, from, to_directory, to, flags);
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (is_below(path) && strike("open") != PASS) return -1;
  return NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open(path, flags, mode);
}

static int lacks_memory(size_t bytes) { return bytes >= 32768 && strike("malloc") != PASS; }

void *malloc(size_t bytes) { return lacks_memory(bytes) ? NULL : NEXT(malloc)(bytes); }

void *aligned_alloc(size_t alignment, size_t bytes) {
  return lacks_memory(bytes) ? NULL : NEXT(aligned_alloc)(alignment, bytes);
}

int posix_memalign(void **result, size_t alignment, size_t bytes) {
  return lacks_memory(bytes) ? ENOMEM : NEXT(posix_memalign)(result, alignment, bytes);
}
