/* LogFile.line(): a node's line in the file and on stderr, with nothing of Python's in between.
 *
 * It does what logs.py, log_file.py and log_stderr.py do, for plain text, while nothing has changed: they say
 * so by aim(), for a part of a second. All else is theirs. */
#define _GNU_SOURCE
#include "log_py.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MOST 1024
#define HEAD_MOST 1024
#define LINE_MOST (2 * TEXT_MOST + HEAD_MOST + 256) /* every character escaped, and the figures */
#define LEVELS 4                                    /* 10, 20, 30, 40 */

static int64_t realtime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- aim ---- */

void horus_log_unaim(horus_log_file *self) {
    self->aim.until_ns = 0;
    Py_CLEAR(self->aim.stream);
    Py_CLEAR(self->aim.levels);
}

static bool are_levels(PyObject *levels) {
    bool good = PyTuple_Check(levels) && PyTuple_GET_SIZE(levels) == LEVELS;
    for (int i = 0; good && i < LEVELS; i++)
        good =
            PyBytes_Check(PyTuple_GET_ITEM(levels, i)) && PyBytes_GET_SIZE(PyTuple_GET_ITEM(levels, i)) < 64;
    return good;
}

PyObject *horus_log_file_aim(horus_log_file *self, PyObject *args) {
    PyObject *stream, *levels;
    const char *stamp;
    long long begin_ns, until_ns;
    int fd, waits;
    if (!PyArg_ParseTuple(args, "OipsLLO:aim", &stream, &fd, &waits, &stamp, &begin_ns, &until_ns, &levels))
        return NULL;
    if (!are_levels(levels) || strlen(stamp) >= sizeof self->aim.stamp) {
        PyErr_SetString(PyExc_TypeError,
                        "aim() takes a short stamp and four short names of levels, as bytes");
        return NULL;
    }
    horus_log_unaim(self);
    self->aim.stream = Py_NewRef(stream);
    self->aim.levels = Py_NewRef(levels);
    self->aim.fd = fd;
    self->aim.waits = waits;
    self->aim.begin_ns = begin_ns;
    self->aim.until_ns = until_ns;
    strcpy(self->aim.stamp, stamp);
    Py_RETURN_NONE;
}

/* Whether sys.stderr is what it was and open: where its descriptor was closed, another file may have the
 * number. Looking may run Python. */
static bool is_open(horus_log_file *self) {
    PyObject *stream = PySys_GetObject("stderr"); /* borrowed */
    if (stream == NULL || stream != self->aim.stream)
        return false;
    Py_INCREF(stream);
    PyObject *closed = PyObject_GetAttrString(stream, "closed");
    Py_DECREF(stream);
    PyErr_Clear();
    Py_XDECREF(closed);
    return closed == Py_False;
}

/* ---- the two lines ---- */

typedef struct {
    char *at;
    char text[LINE_MOST];
} line;

static void put(line *to, const char *bytes, size_t length) {
    memcpy(to->at, bytes, length);
    to->at += length;
}

#define PUT(to, words) put(to, words, sizeof(words) - 1)

static void put_number(line *to, long long number) {
    char digits[24], *first = digits + sizeof digits;
    do
        *--first = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put(to, first, (size_t)(digits + sizeof digits - first));
}

static void put_bytes(line *to, PyObject *bytes) {
    put(to, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
}

/* As json.dumps(text) has it. */
static void put_quoted(line *to, const char *text, size_t length) {
    *to->at++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            *to->at++ = '\\';
        *to->at++ = text[i];
    }
    *to->at++ = '"';
}

/* Printable ASCII: it needs no layout, and no escapes but two. */
static bool is_plain(const char *text, size_t length) {
    bool plain = true;
    for (size_t i = 0; i < length; i++)
        plain &= text[i] >= ' ' && text[i] <= '~';
    return plain;
}

typedef struct {
    const char *text;
    size_t length;
    PyObject *head, *source; /* of the stored line, of the shown one */
    long level;
} said;

static bool parse(PyObject *const *args, Py_ssize_t nargs, said *out) {
    if (nargs != 4 || !PyLong_Check(args[0]) || !PyUnicode_CheckExact(args[1]) || !PyBytes_Check(args[2]) ||
        !PyBytes_Check(args[3])) {
        PyErr_SetString(PyExc_TypeError, "line() takes a level, a text, and two heads as bytes");
        return false;
    }
    out->level = PyLong_AsLong(args[0]);
    out->text = PyUnicode_IS_ASCII(args[1]) ? PyUnicode_DATA(args[1]) : NULL;
    out->length = (size_t)PyUnicode_GET_LENGTH(args[1]);
    out->head = args[2];
    out->source = args[3];
    return !PyErr_Occurred();
}

static bool fits(const said *what) {
    return what->text != NULL && what->length <= TEXT_MOST && is_plain(what->text, what->length) &&
           PyBytes_GET_SIZE(what->head) <= HEAD_MOST && PyBytes_GET_SIZE(what->source) > 0 &&
           PyBytes_GET_SIZE(what->source) <= HEAD_MOST && what->level % 10 == 0 && what->level >= 10 &&
           what->level <= 10 * LEVELS;
}

/* 1; 0: lost; -1: there is no file. */
static int store(horus_log_file *self, const said *what, int64_t now_ns) {
    line to;
    to.at = to.text;
    PUT(&to, "\"time_ns\":");
    put_number(&to, now_ns);
    PUT(&to, ",\"pid\":");
    put_number(&to, self->pid);
    PUT(&to, ",");
    put_bytes(&to, what->head);
    put_quoted(&to, what->text, what->length);
    PUT(&to, "}\n");
    return horus_log_store(self, to.text, (size_t)(to.at - to.text));
}

static ssize_t write_waiting(int fd, const char *bytes, size_t length) {
    ssize_t written;
    Py_BEGIN_ALLOW_THREADS
    do
        written = write(fd, bytes, length);
    while (written < 0 && errno == EINTR);
    Py_END_ALLOW_THREADS
    return written;
}

/* True, or (is_stored, taken, length) where not all went well. */
static PyObject *show(const horus_log_aim *aim, const said *what, int64_t now_ns, bool is_stored) {
    line to;
    to.at = to.text;
    int milliseconds = (int)((now_ns - aim->begin_ns) / 1000000 % 1000);
    char point[4] = {'.', (char)('0' + milliseconds / 100), (char)('0' + milliseconds / 10 % 10),
                     (char)('0' + milliseconds % 10)};
    put(&to, aim->stamp, strlen(aim->stamp));
    put(&to, point, sizeof point);
    PUT(&to, " ");
    put_bytes(&to, PyTuple_GET_ITEM(aim->levels, what->level / 10 - 1));
    PUT(&to, " ");
    put_bytes(&to, what->source);
    put(&to, what->text, what->length);
    PUT(&to, "\n");
    size_t length = (size_t)(to.at - to.text);
    ssize_t taken =
        aim->waits ? write_waiting(aim->fd, to.text, length) : horus_log_offer(aim->fd, to.text, length);
    if (taken < 0) /* there is nobody to say it to */
        taken = (ssize_t)length;
    if (is_stored && (size_t)taken == length)
        Py_RETURN_TRUE;
    return Py_BuildValue("Onn", is_stored ? Py_True : Py_False, taken, (Py_ssize_t)length);
}

PyObject *horus_log_file_line(horus_log_file *self, PyObject *const *args, Py_ssize_t nargs) {
    said what;
    if (!parse(args, nargs, &what))
        return NULL;
    if (self->aim.stream == NULL || !fits(&what) || !is_open(self))
        Py_RETURN_FALSE;
    int64_t now_ns = realtime_ns();
    if (self->aim.stream == NULL || now_ns < self->aim.begin_ns || now_ns >= self->aim.until_ns)
        Py_RETURN_FALSE;
    int stored = store(self, &what, now_ns);
    if (stored < 0)
        Py_RETURN_FALSE;
    return show(&self->aim, &what, now_ns, stored > 0);
}
