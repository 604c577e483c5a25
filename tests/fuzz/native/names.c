/* Shared memory objects by name, as the code under test opens and removes them: anonymous files, which leave
 * nothing behind whatever becomes of this process. */
#define _GNU_SOURCE
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 64u

static struct {
    char name[160]; /* empty once it was unlinked */
    int fd;
    uint8_t *bytes; /* NULL until somebody asks */
    size_t size;
} names[NAMES_MAX];
static unsigned names_count;

void stage_name(const char *name, int fd) {
    FAIL_UNLESS(names_count < NAMES_MAX);
    snprintf(names[names_count].name, sizeof names->name, "%s", name);
    names[names_count].bytes = NULL;
    names[names_count++].fd = fd;
}

unsigned stage_names(void) {
    return names_count;
}

uint8_t *stage_named(unsigned which, size_t *size) {
    struct stat status;
    if (names[which].bytes == NULL) {
        FAIL_UNLESS(fstat(names[which].fd, &status) == 0);
        *size = names[which].size = (size_t)status.st_size;
        if (*size == 0)
            return NULL;
        names[which].bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, names[which].fd, 0);
        FAIL_UNLESS(names[which].bytes != MAP_FAILED);
    }
    *size = names[which].size;
    return names[which].bytes;
}

void stage_drop_names(void) {
    stage_forget_changes();
    while (names_count-- > 0) {
        if (names[names_count].bytes != NULL)
            munmap(names[names_count].bytes, names[names_count].size);
        close(names[names_count].fd);
    }
    names_count = 0;
}

void stage_unlink_names(void) {
    for (unsigned i = 0; i < names_count; i++)
        names[i].name[0] = '\0';
}

static int find(const char *name) {
    for (unsigned i = 0; i < names_count; i++)
        if (name[0] != '\0' && strcmp(names[i].name, name) == 0)
            return (int)i;
    errno = ENOENT;
    return -1;
}

int __wrap_shm_open(const char *name, int flags, mode_t mode);
int __wrap_shm_open(const char *name, int flags, mode_t mode) {
    (void)mode;
    if (stage_fails(EACCES))
        return -1;
    int at = find(name);
    if (at < 0 && flags & O_CREAT && names_count < NAMES_MAX) {
        at = (int)names_count;
        stage_name(name, memfd_create("fuzz", MFD_CLOEXEC));
    } else if (at >= 0 && flags & O_EXCL) {
        errno = EEXIST;
        return -1;
    }
    return at < 0 ? -1 : fcntl(names[at].fd, F_DUPFD_CLOEXEC, 0);
}

int __wrap_shm_unlink(const char *name);
int __wrap_shm_unlink(const char *name) {
    int at = find(name);
    if (at >= 0)
        names[at].name[0] = '\0';
    return at < 0 ? -1 : 0;
}

int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode) {
    (void)mode;
    return stage_fails(EIO) || find(path + strlen("/dev/shm")) < 0 ? -1 : 0;
}

/* The folder /dev/shm, in which nothing but these is found. */
static struct {
    unsigned at;
    struct dirent entry;
} folder;
#define FOLDER ((DIR *)&folder)
#define FOLDER_FD (-77)

#define WRAP(result, name, parameters)                                                                       \
    result __real_##name parameters;                                                                         \
    result __wrap_##name parameters;                                                                         \
    result __wrap_##name parameters

WRAP(DIR *, opendir, (const char *path)) {
    if (!stage_inside())
        return __real_opendir(path);
    FAIL_UNLESS(strcmp(path, "/dev/shm") == 0);
    folder.at = 0;
    return stage_fails(EMFILE) ? NULL : FOLDER;
}

WRAP(struct dirent *, readdir, (DIR * of)) {
    if (of != FOLDER)
        return __real_readdir(of);
    if (folder.at == names_count)
        return NULL;
    const char *name = names[folder.at++].name; /* starts with a slash */
    snprintf(folder.entry.d_name, sizeof folder.entry.d_name, "%s", name[0] == '\0' ? name : name + 1);
    return &folder.entry;
}

WRAP(int, dirfd, (DIR * of)) {
    return of == FOLDER ? FOLDER_FD : __real_dirfd(of);
}

WRAP(int, closedir, (DIR * of)) {
    return of == FOLDER ? 0 : __real_closedir(of);
}

int __real_openat(int folder_fd, const char *name, int flags, ...);
int __wrap_openat(int folder_fd, const char *name, int flags, ...);
int __wrap_openat(int folder_fd, const char *name, int flags, ...) {
    char path[260];
    if (folder_fd != FOLDER_FD)
        return __real_openat(folder_fd, name, flags);
    snprintf(path, sizeof path, "/%s", name);
    return __wrap_shm_open(path, flags, 0);
}
