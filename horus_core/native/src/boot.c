#include "boot.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static uint8_t boot_id[16]; /* written once, under the once */
static pthread_once_t boot_once = PTHREAD_ONCE_INIT;

static void read_boot_id(void) {
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return;
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (fscanf(file, "%2x%*[-]", &byte) < 1 && fscanf(file, "%2x", &byte) < 1)
            break;
        boot_id[i] = (uint8_t)byte;
    }
    fclose(file);
}

void horus_boot_id(uint8_t out[16]) {
    pthread_once(&boot_once, read_boot_id);
    memcpy(out, boot_id, sizeof boot_id);
}
