/* What log_py.c, log_file_py.c and log_line_py.c share. */
#ifndef HORUS_LOG_PY_H
#define HORUS_LOG_PY_H

#include "module.h"

#include <sys/types.h>
#include <time.h>

#define HORUS_LOG_PATH_BYTES 1024

/* Where lines go besides the file, for as long as nothing of it can have changed. */
typedef struct {
    PyObject *stream; /* sys.stderr, which it has to be still; NULL: lines go the long way */
    PyObject *levels; /* their names as they are shown, four bytes objects */
    int fd;
    bool waits;                 /* a file on a disk */
    int64_t begin_ns, until_ns; /* the second of `stamp` or a part of it, by CLOCK_REALTIME */
    char stamp[32];
} horus_log_aim;

typedef struct {
    PyObject_HEAD
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
    char stem[HORUS_LOG_PATH_BYTES]; /* of the files' paths; empty: nowhere */
    PyObject *head;                  /* bytes: what is known of the process, the begin of a JSON object */
    long pid;
    long long limit, kept; /* of a file's size, of the files' count */
    long newest, oldest;   /* numbers of files */
    long long size, begun; /* of the newest file: now, and after its first line */
    long long number, lost;
    int error;     /* errno of what found no room last */
    bool is_stuck; /* no file can be made: not tried again before the next look */
    time_t looked_s;
    horus_log_aim aim;
} horus_log_file;

/* Give an object without its `{`, with its line feed, the next number, and store it: 1; 0: lost, which is
 * counted; -1: there is no file, and nothing was done. */
int horus_log_store(horus_log_file *self, const char *text, size_t length);
/* How many bytes the stream took without waiting; -1 with errno. */
ssize_t horus_log_offer(int fd, const char *bytes, size_t length);

void horus_log_unaim(horus_log_file *self);

/* Methods of LogFile: log_line_py.c. */
PyObject *horus_log_file_aim(horus_log_file *self, PyObject *args);
PyObject *horus_log_file_line(horus_log_file *self, PyObject *const *args, Py_ssize_t nargs);

#endif
