/** \file
 * Only forwards to <nats/nats.h>, for programs that use the old place.
 */

#ifndef NATS_DEPRECATED_H_
#define NATS_DEPRECATED_H_

#pragma message("<nats.h> is deprecated: include <nats/nats.h>")

#include "nats/nats.h"

#endif /* NATS_DEPRECATED_H_ */
