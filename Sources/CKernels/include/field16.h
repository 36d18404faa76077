// Products in GF(2^16), of which parity is made: specs/parity.md. Reference: Sources/Parity/Field/Field16.swift.
#ifndef BALE_FIELD16_H
#define BALE_FIELD16_H

#include <stddef.h>
#include <stdint.h>

// target += factor * source, element by element, over `groups` groups of 128 bytes: byte i and byte 64 + i of a group
// are the low and the high byte of its element i. No pointer needs an alignment; the two don't overlap.
void bale_field16_add(uint8_t *target, const uint8_t *source, size_t groups, uint16_t factor);

#endif
