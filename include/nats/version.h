/* Generated from src/ffi/header/version.h.in: do not edit. */

/** \file
 * The version this header belongs to. nats_GetVersion() has that of the library.
 */

#ifndef NATS_VERSION_H_
#define NATS_VERSION_H_

#define NATS_VERSION_MAJOR 3
#define NATS_VERSION_MINOR 14
#define NATS_VERSION_PATCH 0

/** The version as text. */
#define NATS_VERSION_STRING "3.14.0"

/** The version as a number: one byte each for major, minor and patch. */
#define NATS_VERSION_NUMBER ((NATS_VERSION_MAJOR << 16) | (NATS_VERSION_MINOR << 8) | NATS_VERSION_PATCH)

/** The oldest library that has everything this header declares. */
#define NATS_VERSION_REQUIRED_NUMBER 0x030E00

#endif /* NATS_VERSION_H_ */
