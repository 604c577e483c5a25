/* The id of this boot of the kernel: shared memory of another boot is garbage. */
#ifndef HORUS_BOOT_H
#define HORUS_BOOT_H

#include <stdint.h>

/* Writes 16 bytes; zeros when the kernel does not tell. Cached after the first call. */
void horus_boot_id(uint8_t out[16]);

#endif
