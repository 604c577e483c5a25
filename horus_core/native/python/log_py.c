/* LogFile and offer(): how a line of a log gets out of the process without holding a tick up.
 *
 * Neither lets go of the GIL where the write cannot wait: who has to wait for the GIL afterwards waits for up
 * to 5 ms where another thread computes, for a write that takes one microsecond. */
#define _GNU_SOURCE
#include "log_py.h"
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

typedef horus_log_file log_file;

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

static PyObject *log_file_begin(log_file *self, PyObject *args) {
    long pid;
    long long most;
    if (!PyArg_ParseTuple(args, "lL:begin", &pid, &most))
        return NULL;
    horus_log_unaim(self);
    self->pid = pid;
    self->most = most;
    self->number = 0;
    Py_RETURN_NONE;
}

static PyObject *log_file_count(log_file *self, PyObject *Py_UNUSED(ignored)) {
    return PyLong_FromLongLong(++self->number);
}

int horus_log_append(log_file *self, const char *bytes, size_t length) {
    ssize_t written = write(self->fd, bytes, length); /* memory: it does not wait */
    if (written == (ssize_t)length) {
        self->size += written;
        return 0;
    }
    int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(self->fd, self->size) < 0) /* half a line; shrinking needs no room */
        error = errno;
    return error;
}

static PyObject *log_file_append(log_file *self, PyObject *line) {
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(line, &bytes, &length) < 0)
        return NULL;
    if (self->fd < 0)
        return PyLong_FromLong(-1);
    int error = horus_log_append(self, bytes, (size_t)length);
    if (error != 0) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLongLong(self->size);
}

static PyObject *log_file_unaim(log_file *self, PyObject *Py_UNUSED(ignored)) {
    horus_log_unaim(self);
    Py_RETURN_NONE;
}

static PyObject *log_file_linked(log_file *self, void *Py_UNUSED(closure)) {
    struct stat status;
    return PyBool_FromLong(self->fd >= 0 && fstat(self->fd, &status) == 0 && status.st_nlink > 0);
}

static void log_file_dealloc(log_file *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (self->fd >= 0)
        close(self->fd);
    horus_log_unaim(self);
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
    {"begin", METHOD(log_file_begin), METH_VARARGS,
     "begin($self, pid, most, /)\n--\n\nLines of line() are that process's from now on, and numbered from 1; "
     "those that would make the file that large go the long way."},
    {"count", METHOD(log_file_count), METH_NOARGS,
     "count($self, /)\n--\n\nThe number of the next line, which is taken."},
    {"aim", METHOD(horus_log_file_aim), METH_VARARGS,
     "aim($self, stream, fd, waits, stamp, begin_ns, until_ns, levels, /)\n--\n\nHave line() write to "
     "stderr, too, "
     "from begin_ns until before until_ns, while sys.stderr is that stream: the stamp, milliseconds since "
     "begin_ns, and one of "
     "four names of levels."},
    {"unaim", METHOD(log_file_unaim), METH_NOARGS,
     "unaim($self, /)\n--\n\nHave line() leave all to its caller, until the next aim()."},
    {"line", METHOD(horus_log_file_line), METH_FASTCALL,
     "line($self, level, text, head, source, /)\n--\n\nStore and show a line; False: nothing was done, for "
     "it needs "
     "more than that. (taken, length) where stderr took less than all."},
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
 * flags of its own. It is kept, for opening takes longer than writing, and looked at before each line: the
 * program may have closed it, with all that it does not know, or have put another stream under `fd`. */
static struct {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
} terminal = {.fd = -1};

static bool is_terminal(const struct stat *status) {
    return S_ISCHR(status->st_mode) && status->st_dev == terminal.device && status->st_ino == terminal.inode;
}

/* Whether it is open still, and no other file that was given its number. */
static bool has_terminal(void) {
    struct stat status;
    return terminal.fd >= 0 && fstat(terminal.fd, &status) == 0 && is_terminal(&status);
}

static void open_terminal(int fd, const struct stat *status) {
    char path[32];
    if (has_terminal())
        close(terminal.fd);
    PyOS_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    terminal.fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    terminal.device = status->st_dev;
    terminal.inode = status->st_ino;
}

/* -2: it cannot be opened. */
static ssize_t write_terminal(int fd, const struct stat *status, const char *bytes, size_t length) {
    bool is_new = !is_terminal(status) || !has_terminal();
    if (is_new)
        open_terminal(fd, status);
    ssize_t written = terminal.fd < 0 ? -2 : write(terminal.fd, bytes, length);
    if (written != -1 || is_new || would_wait(errno))
        return written;
    open_terminal(fd, status); /* it is gone, and another one has its name now */
    return terminal.fd < 0 ? -2 : write(terminal.fd, bytes, length);
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

ssize_t horus_log_offer(int fd, const char *bytes, size_t length) {
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
    else if (S_ISCHR(status.st_mode) && (is_terminal(&status) || isatty(fd)))
        written = write_terminal(fd, &status, bytes, length);
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
    ssize_t written = horus_log_offer((int)fd, bytes, (size_t)length);
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
