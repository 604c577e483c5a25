/* What log_py.c and log_line_py.c share. */
#ifndef HORUS_LOG_PY_H
#define HORUS_LOG_PY_H

#include "module.h"

#include <sys/types.h>

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
    int fd; /* -1: none. Read and used under one hold of the GIL: no other thread closes it in between */
    long long size;
    long long number; /* of the line before */
    long pid;
    long long most; /* bytes: a line that reaches it goes the long way */
    horus_log_aim aim;
} horus_log_file;

/* 0, or an errno; half a line is taken back. */
int horus_log_append(horus_log_file *file, const char *bytes, size_t length);
/* How many bytes the stream took without waiting; -1 with errno. */
ssize_t horus_log_offer(int fd, const char *bytes, size_t length);

void horus_log_unaim(horus_log_file *self);

/* Methods of LogFile: log_line_py.c. */
PyObject *horus_log_file_aim(horus_log_file *self, PyObject *args);
PyObject *horus_log_file_line(horus_log_file *self, PyObject *const *args, Py_ssize_t nargs);

#endif
