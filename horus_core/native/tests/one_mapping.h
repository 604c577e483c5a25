/* For ThreadSanitizer, which knows memory by its address: what several members of one process map of one file
 * lies at one address. Linked with --wrap=mmap and --wrap=munmap; threads ask for it, processes do not. */
#ifndef HORUS_TEST_ONE_MAPPING_H
#define HORUS_TEST_ONE_MAPPING_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAPPINGS 64u

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);

static struct {
    bool wanted;
    pthread_mutex_t mutex;
    struct {
        void *at;
        size_t size;
        dev_t device;
        ino_t inode;
        unsigned users;
    } of[MAPPINGS];
} one_mapping = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static inline void *one_mapping_of(const struct stat *file, size_t size, int protection, int flags, int fd) {
    unsigned place = MAPPINGS;
    for (unsigned i = 0; i < MAPPINGS; i++) {
        if (one_mapping.of[i].users == 0) {
            place = i;
        } else if (one_mapping.of[i].device == file->st_dev && one_mapping.of[i].inode == file->st_ino &&
                   one_mapping.of[i].size == size) {
            one_mapping.of[i].users++;
            return one_mapping.of[i].at;
        }
    }
    void *at = __real_mmap(NULL, size, protection, flags, fd, 0);
    if (at != MAP_FAILED && place < MAPPINGS) {
        one_mapping.of[place].at = at;
        one_mapping.of[place].size = size;
        one_mapping.of[place].device = file->st_dev;
        one_mapping.of[place].inode = file->st_ino;
        one_mapping.of[place].users = 1;
    }
    return at;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    struct stat file;
    if (!one_mapping.wanted || fd < 0 || fstat(fd, &file) != 0)
        return __real_mmap(at, size, protection, flags, fd, offset);
    pthread_mutex_lock(&one_mapping.mutex);
    void *found = one_mapping_of(&file, size, protection, flags, fd);
    pthread_mutex_unlock(&one_mapping.mutex);
    return found;
}

int __wrap_munmap(void *at, size_t size) {
    int result = 0;
    bool last = true;
    pthread_mutex_lock(&one_mapping.mutex);
    for (unsigned i = 0; i < MAPPINGS; i++)
        if (one_mapping.of[i].users > 0 && one_mapping.of[i].at == at)
            last = --one_mapping.of[i].users == 0;
    if (last)
        result = __real_munmap(at, size);
    pthread_mutex_unlock(&one_mapping.mutex);
    return result;
}

#endif
