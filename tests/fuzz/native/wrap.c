/* System calls and allocations of the code under test (the linker's --wrap brings them here): they can fail,
 * time passes only as the input says, no sleep takes long, and a step behind the end of a mapping is found.
 */
#define _GNU_SOURCE
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../horus_core/native/src/futex.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#define PAGE 4096u
#define MAPPINGS_MAX 4096u

static uint32_t fail_in;
static uint64_t now_ns = 1000000000000u;
static int sleep_result;
static struct {
    uint32_t in;
    int fd;
    size_t to;
} cut;

void stage_fault(uint32_t n) {
    fail_in = n;
}
void stage_cut(uint32_t n, int fd, size_t to) {
    cut.in = n;
    cut.fd = fd;
    cut.to = to;
}
void stage_pass_time(uint64_t ns) {
    now_ns += ns;
}
void stage_sleeps_return(int code) {
    sleep_result = code;
}

bool stage_fails(int code) {
    stage_step();
    if (!stage_inside() || fail_in == 0 || --fail_in > 0)
        return false;
    errno = code;
    return true;
}

#define WRAP(result, name, parameters)                                                                       \
    result __real_##name parameters;                                                                         \
    result __wrap_##name parameters;                                                                         \
    result __wrap_##name parameters

/* ---- memory ---- */

WRAP(void *, malloc, (size_t size)) {
    return stage_fails(ENOMEM) ? NULL : __real_malloc(size);
}
WRAP(void *, calloc, (size_t count, size_t size)) {
    return stage_fails(ENOMEM) ? NULL : __real_calloc(count, size);
}
WRAP(void *, realloc, (void *at, size_t size)) {
    return stage_fails(ENOMEM) ? NULL : __real_realloc(at, size);
}

/* Mappings of the code under test have a page that nobody may touch on both sides, and what is left of their
 * last page may not be touched either. */
static struct {
    uint8_t *at;
    size_t length;
} mappings[MAPPINGS_MAX];

static size_t pages(size_t length) {
    return horus_round_up(length, PAGE);
}

void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
void *__wrap_mmap(void *wanted, size_t length, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t length);

void *__wrap_mmap(void *wanted, size_t length, int prot, int flags, int fd, off_t offset) {
    if (!stage_inside())
        return __real_mmap(wanted, length, prot, flags, fd, offset);
    if (stage_fails(ENOMEM))
        return MAP_FAILED;
    uint8_t *room = __real_mmap(NULL, pages(length) + 2 * PAGE, PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return MAP_FAILED;
    uint8_t *at = __real_mmap(room + PAGE, length, prot, flags | MAP_FIXED, fd, offset);
    if (at == MAP_FAILED) {
        int code = errno;
        __real_munmap(room, pages(length) + 2 * PAGE);
        errno = code;
        return MAP_FAILED;
    }
    unsigned i = 0;
    while (mappings[i].at != NULL)
        FAIL_UNLESS(++i < MAPPINGS_MAX);
    mappings[i].at = at;
    mappings[i].length = length;
    ASAN_POISON_MEMORY_REGION(at + length, pages(length) - length);
    return at;
}

int __wrap_munmap(void *at, size_t length) {
    if (!stage_inside())
        return __real_munmap(at, length);
    unsigned i = 0;
    while (mappings[i].at != at)
        FAIL_UNLESS(++i < MAPPINGS_MAX);
    FAIL_UNLESS(mappings[i].length == length);
    mappings[i].at = NULL;
    ASAN_UNPOISON_MEMORY_REGION((uint8_t *)at + length, pages(length) - length);
    return __real_munmap((uint8_t *)at - PAGE, pages(length) + 2 * PAGE);
}

/* ---- files ---- */

static void maybe_cut(void) {
    if (!stage_inside() || cut.in == 0 || --cut.in > 0)
        return;
    stage_forget_changes();
    FAIL_UNLESS(ftruncate(cut.fd, (off_t)cut.to) == 0);
}

WRAP(int, fstat, (int fd, struct stat *status)) {
    maybe_cut();
    return stage_fails(EIO) ? -1 : __real_fstat(fd, status);
}
WRAP(ssize_t, pread, (int fd, void *to, size_t length, off_t offset)) {
    maybe_cut();
    return stage_fails(EIO) ? -1 : __real_pread(fd, to, length, offset);
}
WRAP(int, posix_fallocate, (int fd, off_t offset, off_t length)) {
    return stage_fails(ENOSPC) ? ENOSPC : __real_posix_fallocate(fd, offset, length);
}

int __real_fcntl(int, int, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *); /* an int, or a pointer: both are passed alike here */
    va_end(rest);
    return stage_fails(EIO) ? -1 : __real_fcntl(fd, command, argument);
}

int __real_open(const char *, int, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) { /* never makes a file here */
    return stage_fails(EMFILE) ? -1 : __real_open(path, flags);
}

int stage_file(size_t size, uint8_t **bytes) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FAIL_UNLESS(fd >= 0 && (size == 0 || posix_fallocate(fd, 0, (off_t)size) == 0));
    if (bytes != NULL) {
        *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        FAIL_UNLESS(*bytes != MAP_FAILED);
    }
    return fd;
}

/* ---- time ---- */

uint64_t __wrap_horus_now_ns(void);
uint64_t __wrap_horus_now_ns(void) {
    stage_step();
    return now_ns += 50;
}

int __wrap_horus_futex_wait(const uint32_t *word, uint32_t expected, uint64_t until_ns);
int __wrap_horus_futex_wait(const uint32_t *word, uint32_t expected, uint64_t until_ns) {
    stage_sleep();
    now_ns += 1000000;
    if (horus_load_relaxed(word) != expected)
        return 0;
    if (now_ns < until_ns)
        now_ns += sleep_result == ETIMEDOUT ? until_ns - now_ns : (until_ns - now_ns + 1) / 2;
    return sleep_result;
}
