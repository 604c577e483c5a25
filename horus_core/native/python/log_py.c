/* offer(): how a line of a log gets to a stream without holding a tick up.
 *
 * It does not let go of the GIL where the write cannot wait: who has to wait for the GIL afterwards waits for
 * up to 5 ms where another thread computes, for a write that takes one microsecond. */
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
    return PyModule_AddFunctions(module, functions);
}
