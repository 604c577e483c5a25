/* The versions of what lies in shared memory. Builds of HORUS whose four numbers are the same understand each
 * other, whatever their releases; any other two never share a namespace (docs/protocol.md, section 8). Who
 * changes what docs/protocol.md says of one of the four, or how it is used, raises its number. */
#ifndef HORUS_LAYOUTS_H
#define HORUS_LAYOUTS_H

#include "horus/base.h"

#ifndef HORUS_INDEX_LAYOUT    /* a test builds another */
#define HORUS_INDEX_LAYOUT 2u /* the index, its epoch, and who takes which of its locks */
#endif
#ifndef HORUS_TOPIC_LAYOUT    /* a test builds another */
#define HORUS_TOPIC_LAYOUT 1u /* a topic's region */
#endif
#define HORUS_POOL_LAYOUT 1u    /* the chunks of a pool, and references into them */
#define HORUS_MESSAGE_LAYOUT 1u /* typed messages, descriptors of pooled payloads, and dicts in a slot */

/* The release: for people, and nothing is decided by it. */
#ifndef HORUS_VERSION
#define HORUS_VERSION "of an unknown release"
#endif
#define HORUS_VERSION_MAX 24u /* bytes where it is written down, with its NUL */

#endif
