// Decoding of entropy-coded trellis codes: specs/codecs/trellis.md. Reference: Sources/Codecs/Residual/TrellisUnit.swift.
#ifndef BALE_TRELLIS_H
#define BALE_TRELLIS_H

#include <stddef.h>
#include <stdint.h>

// Decodes one unit to F32.
//   bytes, count: eight states and the words after them; count >= 32 and even
//   symbols:      24 contexts of 4096 slots
//   bounds:       24 contexts of 32 first slots
//   classes, steps: one a column
//   states:       one a column, zero; scratch
// Returns 0, or 1 where the codes don't end where the bytes do.
int bale_trellis_decode(const void *bytes, size_t count, const uint8_t *symbols, const uint16_t *bounds,
                        const uint8_t *classes, const float *steps, uint8_t *states, size_t rows, size_t columns,
                        float *output);

#endif
