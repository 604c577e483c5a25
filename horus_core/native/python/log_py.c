/* LogFile and offer(): how a line of a log gets out of the process without holding a tick up.
 *
 * Neither lets go of the GIL where the write cannot wait: who has to wait for the GIL afterwards waits for up
 * to 5 ms where another thread computes, for a write that takes one microsecond. */
#define _GNU_SOURCE
#include "module.h"
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- LogFile: a file in shared memory, to which whole lines are appended ---- */

typedef struct {
    PyObject_HEAD
    int fd; /* -1: none. Read and used under one hold of the GIL: no other thread closes it in between */
    long long size;
} log_file;

static PyObject *log_file_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs)) {
    log_file *self = (log_file *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->fd = -1;
    return (PyObject *)self;
}

static PyObject *log_file_use(log_file *self, PyObject *argument) {
    long fd = PyLong_AsLong(argument);
    struct stat status = {.st_size = 0};
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    if (fd < -1 || fd > INT_MAX || (fd >= 0 && fstat((int)fd, &status) < 0)) {
        PyErr_Format(PyExc_OSError, "not a file that can be logged to: %ld", fd);
        return NULL;
    }
    int before = self->fd;
    self->fd = (int)fd;
    self->size = status.st_size;
    if (before >= 0 && before != (int)fd)
        close(before);
    Py_RETURN_NONE;
}

static PyObject *log_file_append(log_file *self, PyObject *line) {
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(line, &bytes, &length) < 0)
        return NULL;
    if (self->fd < 0)
        return PyLong_FromLong(-1);
    ssize_t written = write(self->fd, bytes, (size_t)length); /* memory: it does not wait */
    if (written != length) {
        int error = written < 0 ? errno : ENOSPC;
        if (written > 0 && ftruncate(self->fd, self->size) < 0) /* half a line; shrinking needs no room */
            error = errno;
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    self->size += written;
    return PyLong_FromLongLong(self->size);
}

static PyObject *log_file_linked(log_file *self, void *Py_UNUSED(closure)) {
    struct stat status;
    return PyBool_FromLong(self->fd >= 0 && fstat(self->fd, &status) == 0 && status.st_nlink > 0);
}

static void log_file_dealloc(log_file *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (self->fd >= 0)
        close(self->fd);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef log_file_methods[] = {
    {"use", METHOD(log_file_use), METH_O,
     "use($self, fd, /)\n--\n\nAppend to the file, which is the object's own from now on, and close the one "
     "before; "
     "-1: none."},
    {"append", METHOD(log_file_append), METH_O,
     "append($self, line, /)\n--\n\nWrite bytes at once; the size of the file then, -1 when there is none. "
     "Raises "
     "OSError when there is no room."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef log_file_getset[] = {
    {"linked", (getter)log_file_linked, NULL, "Whether there is a file, and it has a name.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot log_file_slots[] = {
    {Py_tp_doc, "A file to which whole lines are appended, by any thread."},
    {Py_tp_new, log_file_new},
    {Py_tp_dealloc, log_file_dealloc},
    {Py_tp_methods, log_file_methods},
    {Py_tp_getset, log_file_getset},
    {0, NULL},
};

static PyType_Spec log_file_spec = {
    .name = "horus_core._native.LogFile",
    .basicsize = sizeof(log_file),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = log_file_slots,
};

/* ---- offer: a stream that somebody else reads, or does not ---- */

static bool would_wait(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* A disk may be slow, and is waited for. */
static ssize_t write_waiting(int fd, const char *bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t written;
        Py_BEGIN_ALLOW_THREADS
        written = write(fd, bytes + done, length - done);
        Py_END_ALLOW_THREADS
        if (written < 0)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)written;
    }
    return (ssize_t)done;
}

/* The flags of an open file belong to all processes that share it (the user's shell); a second opening has
 * flags of its own. That takes no others' rights away and is closed at once. */
static ssize_t write_terminal(int fd, const char *bytes, size_t length) {
    char path[32];
    PyOS_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return -2;
    ssize_t written = write(own, bytes, length);
    int error = errno;
    close(own);
    errno = error;
    return written;
}

/* A pipe that poll() calls writable takes PIPE_BUF bytes without waiting. */
static ssize_t write_polled(int fd, const char *bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
        struct pollfd look = {.fd = fd, .events = POLLOUT};
        if (poll(&look, 1, 0) <= 0 || !(look.revents & (POLLOUT | POLLERR)))
            break;
        size_t piece = length - done < PIPE_BUF ? length - done : PIPE_BUF;
        ssize_t written = write(fd, bytes + done, piece);
        if (written < 0)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)written;
    }
    return (ssize_t)done;
}

static ssize_t offer_bytes(int fd, const char *bytes, size_t length) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    ssize_t written = pwritev2(fd, &part, 1, -1, RWF_NOWAIT);
    if (written >= 0)
        return written;
    bool is_full = would_wait(errno);
    if (!is_full && errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS && errno != ESPIPE)
        return -1;
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -1;
    if (S_ISREG(status.st_mode))
        return write_waiting(fd, bytes, length);
    if (is_full)
        return 0;
    written = -2;
    if (S_ISSOCK(status.st_mode))
        written = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (S_ISCHR(status.st_mode) && isatty(fd))
        written = write_terminal(fd, bytes, length);
    if (written == -2)
        written = write_polled(fd, bytes, length);
    return written < 0 && would_wait(errno) ? 0 : written;
}

static PyObject *offer(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs) {
    char *bytes;
    Py_ssize_t length;
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "offer() takes a descriptor and bytes (%zd given)", nargs);
        return NULL;
    }
    long fd = PyLong_AsLong(args[0]);
    if ((fd == -1 && PyErr_Occurred()) || PyBytes_AsStringAndSize(args[1], &bytes, &length) < 0)
        return NULL;
    ssize_t written = offer_bytes((int)fd, bytes, (size_t)length);
    if (written < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyLong_FromSsize_t(written);
}

static PyMethodDef functions[] = {
    {"offer", METHOD(offer), METH_FASTCALL,
     "offer(fd, line, /)\n--\n\nWrite bytes to a stream as far as it takes them without waiting (a file on "
     "disk is "
     "waited for); how many it took. The flags of the stream stay as they are."},
    {NULL, NULL, 0, NULL},
};

int horus_add_log(PyObject *module) {
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &log_file_spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddType(module, type);
    Py_DECREF(type);
    return added < 0 ? -1 : PyModule_AddFunctions(module, functions);
}
