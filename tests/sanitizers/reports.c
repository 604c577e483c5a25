/* Preloaded after the sanitizers' runtimes: has libubsan write its reports to the files that libasan writes to.
 *
 * With gcc these are two libraries, and of UBSAN_OPTIONS=log_path=... only libasan hears, whose function by the same
 * name comes first: a report in a process whose output nobody reads would be lost. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

__attribute__((constructor)) static void send_reports_to_files(void) {
    const char *path = getenv("SANITIZER_REPORTS");
    void *library = dlopen("libubsan.so.1", RTLD_NOLOAD | RTLD_NOW);
    if (path == NULL || library == NULL)
        return;
    void (*set_path)(const char *);
    *(void **)&set_path = dlsym(library, "__sanitizer_set_report_path");
    if (set_path != NULL)
        set_path(path);
}
