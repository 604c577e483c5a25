/* LogFile: a process's lines in shared memory, in files of a bounded size of which the newest few are kept.
 *
 * A line gets its number and is written, and the next file is begun, under one hold of the GIL: so the
 * numbers stand in the files in their order, no file grows while the next one is made, and what is missing
 * can be told from what was removed. All of it is memory and does not wait. A signal's handler, or a __del__,
 * that logs while another line is stored comes before or after it. */
#define _GNU_SOURCE
#include "log_py.h"
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES HORUS_LOG_PATH_BYTES
#define SUFFIX_BYTES 40 /* "-", a number, ".jsonl" */
#define TRIES 100
#define HIGH_FD 48

typedef horus_log_file log_file;

static PyObject *log_file_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"", "", NULL};
    long long limit, kept;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "LL:LogFile", names, &limit, &kept))
        return NULL;
    log_file *self = (log_file *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->fd = -1;
    self->pid = getpid();
    self->limit = limit;
    self->kept = kept;
    self->oldest = 1;
    return (PyObject *)self;
}

static void forget_file(log_file *self) {
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

static PyObject *log_file_use(log_file *self, PyObject *const *args, Py_ssize_t nargs) {
    const char *stem = "";
    Py_ssize_t length = 0;
    if (nargs != 2 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "use() takes a path or None, and bytes");
        return NULL;
    }
    if (args[0] != Py_None && (stem = PyUnicode_AsUTF8AndSize(args[0], &length)) == NULL)
        return NULL;
    if (length >= PATH_BYTES - SUFFIX_BYTES || strlen(stem) != (size_t)length) {
        PyErr_Format(PyExc_ValueError, "not a path that can be logged to: %R", args[0]);
        return NULL;
    }
    forget_file(self);
    horus_log_unaim(self);
    if (self->stem[0] != '\0' || self->pid != getpid()) /* what was said there is not missing here */
        self->number = self->lost = 0;
    self->pid = getpid();
    memcpy(self->stem, stem, (size_t)length + 1);
    self->newest = 0;
    self->oldest = 1;
    self->is_stuck = false;
    Py_XSETREF(self->head, Py_NewRef(args[1]));
    Py_RETURN_NONE;
}

/* ---- The files ---- */

static void path_of(const log_file *self, long number, char path[PATH_BYTES]) {
    snprintf(path, PATH_BYTES, "%s-%ld.jsonl", self->stem, number);
}

/* Whether there is room now that was not there before. */
static bool remove_oldest(log_file *self) {
    if (self->oldest >= self->newest)
        return false;
    char path[PATH_BYTES];
    path_of(self, self->oldest++, path);
    return unlink(path) == 0;
}

static bool make_folder(const log_file *self) {
    char path[PATH_BYTES];
    memcpy(path, self->stem, PATH_BYTES);
    char *end = strrchr(path, '/');
    if (end == NULL)
        return false;
    *end = '\0';
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* With a number that is not among the first to be given out again: a program that becomes a daemon closes
 * what it does not know, and must not find lines in the files that it opens then. The kernel has room for 64
 * at first. */
static int create(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (high < 0)
        return fd;
    close(fd);
    return high;
}

/* A new file, which is locked for as long as its process lives; -1 with errno. */
static int create_next(log_file *self, char path[PATH_BYTES], struct stat *status) {
    bool was_made = false;
    for (int i = 0; i < TRIES; i++) {
        path_of(self, self->newest + 1, path);
        int fd = create(path);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE) && self->fd >= 0) {
            forget_file(self); /* one is free now */
            fd = create(path);
        }
        if (fd < 0 && errno == ENOENT && !was_made) {
            if (!make_folder(self))
                return -1;
            was_made = true;
            continue;
        }
        if (fd < 0 && errno != EEXIST)
            return -1;
        self->newest++;
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, status) == 0 && status->st_nlink > 0)
            return fd;
        close(fd); /* a cleaner came between, and removes it */
    }
    errno = EAGAIN;
    return -1;
}

/* The first line of a file: how many lines had a number before it, and how many of them found no room. */
static bool begin_file(log_file *self, int fd) {
    char known[120];
    int length = snprintf(known, sizeof known, ",\"segment\":%ld,\"number\":%lld,\"lost\":%lld}\n",
                          self->newest, self->number, self->lost);
    struct iovec parts[2] = {
        {.iov_base = PyBytes_AS_STRING(self->head), .iov_len = (size_t)PyBytes_GET_SIZE(self->head)},
        {.iov_base = known, .iov_len = (size_t)length},
    };
    self->begun = (long long)(parts[0].iov_len + parts[1].iov_len);
    ssize_t written = writev(fd, parts, 2);
    if (written >= 0 && written != self->begun)
        errno = ENOSPC;
    return written == self->begun;
}

static bool try_next(log_file *self) {
    char path[PATH_BYTES];
    struct stat status;
    int fd = create_next(self, path, &status);
    if (fd < 0)
        return false;
    if (!begin_file(self, fd)) {
        int error = errno;
        unlink(path);
        close(fd);
        errno = error;
        return false;
    }
    forget_file(self);
    self->fd = fd;
    self->device = status.st_dev;
    self->inode = status.st_ino;
    self->size = self->begun;
    return true;
}

static bool is_full(int error) {
    return error == ENOSPC || error == EDQUOT || error == ENOMEM;
}

/* Go on in a new file, which takes the oldest one's place. */
static bool next_file(log_file *self) {
    if (self->is_stuck || self->stem[0] == '\0')
        return false;
    while (self->newest - self->oldest + 1 >= self->kept && remove_oldest(self)) {
    }
    if (try_next(self))
        return true;
    self->error = errno;
    if (is_full(self->error) && remove_oldest(self) && try_next(self))
        return true;
    self->is_stuck = true;
    return false;
}

/* Once a second: somebody may have removed or cut the file, or closed what is not theirs; or there is room by
 * now. By the clock that nobody sets. */
static void look(log_file *self) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == self->looked_s)
        return;
    self->looked_s = now.tv_sec;
    self->is_stuck = false;
    struct stat status;
    if (self->fd < 0)
        return;
    if (fstat(self->fd, &status) < 0 || status.st_ino != self->inode || status.st_dev != self->device)
        self->fd = -1; /* not ours to close */
    else if (status.st_nlink == 0)
        forget_file(self);
    else
        self->size = status.st_size;
}

/* ---- A line ---- */

/* `{"number":7,`, which ends at `end`; where it begins. */
static char *number_before(char *end, long long number) {
    static const char key[] = "{\"number\":";
    *--end = ',';
    do {
        *--end = (char)('0' + number % 10);
    } while ((number /= 10) > 0);
    end -= sizeof key - 1;
    return memcpy(end, key, sizeof key - 1);
}

/* One write: of two parts it takes longer than to put short ones together. */
static ssize_t write_parts(int fd, const struct iovec parts[2]) {
    char whole[1024];
    if (parts[0].iov_len + parts[1].iov_len > sizeof whole)
        return writev(fd, parts, 2);
    memcpy(whole, parts[0].iov_base, parts[0].iov_len);
    memcpy(whole + parts[0].iov_len, parts[1].iov_base, parts[1].iov_len);
    return write(fd, whole, parts[0].iov_len + parts[1].iov_len);
}

static bool append(log_file *self, const struct iovec parts[2]) {
    ssize_t length = (ssize_t)(parts[0].iov_len + parts[1].iov_len);
    ssize_t written = write_parts(self->fd, parts);
    if (written == length) {
        self->size += length;
        return true;
    }
    self->error = written < 0 ? errno : ENOSPC;
    struct stat status; /* half a line is taken back: shrinking needs no room */
    if (written > 0 && (fstat(self->fd, &status) < 0 || ftruncate(self->fd, status.st_size - written) < 0))
        forget_file(self);
    if (self->error == EBADF) /* somebody closed it */
        self->fd = -1;
    return false;
}

static bool store(log_file *self, const struct iovec parts[2]) {
    long long length = (long long)(parts[0].iov_len + parts[1].iov_len);
    if (self->size + length > self->limit && self->size > self->begun && !next_file(self))
        return false;
    if (append(self, parts))
        return true;
    bool again = self->fd < 0 ? next_file(self) : is_full(self->error) && remove_oldest(self);
    return again && append(self, parts);
}

int horus_log_store(log_file *self, const char *text, size_t length) {
    look(self);
    if (self->fd < 0 && !next_file(self))
        return -1;
    char room[64], *end = room + sizeof room, *number = number_before(end, self->number + 1);
    struct iovec parts[2] = {
        {.iov_base = number, .iov_len = (size_t)(end - number)},
        {.iov_base = (char *)text, .iov_len = length},
    };
    bool is_stored = store(self, parts);
    self->number++;
    self->lost += !is_stored;
    return is_stored;
}

static PyObject *log_file_write(log_file *self, PyObject *line) {
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(line, &length);
    return text == NULL ? NULL : PyLong_FromLong(horus_log_store(self, text, (size_t)length));
}

static PyObject *log_file_lose(log_file *self, PyObject *Py_UNUSED(none)) {
    self->number++;
    self->lost++;
    Py_RETURN_NONE;
}

static PyObject *log_file_unaim(log_file *self, PyObject *Py_UNUSED(ignored)) {
    horus_log_unaim(self);
    Py_RETURN_NONE;
}

static void log_file_dealloc(log_file *self) {
    PyTypeObject *type = Py_TYPE(self);
    forget_file(self);
    horus_log_unaim(self);
    Py_XDECREF(self->head);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef log_file_methods[] = {
    {"use", METHOD(log_file_use), METH_FASTCALL,
     "use($self, stem, head, /)\n--\n\nWrite to the files `{stem}-{n}.jsonl` from now on, each of which "
     "begins with "
     "`head`, the begin of a JSON object; None: nowhere. The first is made for the first line."},
    {"write", METHOD(log_file_write), METH_O,
     "write($self, line, /)\n--\n\nStore a line, which is a JSON object without its `{`, and ends in a line "
     "feed: it "
     "gets the next number. 1; 0 when there is no room, which is counted; -1 when there is no file."},
    {"lose", METHOD(log_file_lose), METH_NOARGS,
     "lose($self, /)\n--\n\nCount a line that is given up without having been written."},
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
     "more than that. (is_stored, taken, length) where it found no room, or stderr took less than all."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef log_file_members[] = {
    {"error", T_INT, offsetof(log_file, error), READONLY,
     "The errno of what found no room last; 0: nothing."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot log_file_slots[] = {
    {Py_tp_doc,
     "LogFile(limit, kept, /)\n--\n\nFiles of a bounded size, of which so many are kept, to which whole "
     "lines are appended by any thread."},
    {Py_tp_new, log_file_new},
    {Py_tp_dealloc, log_file_dealloc},
    {Py_tp_methods, log_file_methods},
    {Py_tp_members, log_file_members},
    {0, NULL},
};

static PyType_Spec log_file_spec = {
    .name = "horus_core._native.LogFile",
    .basicsize = sizeof(log_file),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = log_file_slots,
};

int horus_add_log_file(PyObject *module) {
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &log_file_spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddType(module, type);
    Py_DECREF(type);
    return added;
}
