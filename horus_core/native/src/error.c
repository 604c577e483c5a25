#include "horus/base.h"

#include <stdarg.h>
#include <stdio.h>

void horus_error_set(horus_error *error, int code, const char *format, ...) {
    if (error == NULL)
        return;
    error->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
}
