// Conversion of elements: specs/codecs/plain.md. References: Sources/Tensors/FloatFormat+Coding.swift.
#ifndef BALE_ELEMENTS_H
#define BALE_ELEMENTS_H

#include <stddef.h>
#include <stdint.h>

// No pointer needs an alignment but `table`.

// Widening keeps every bit of a NaN's payload.
void bale_bf16_to_f32(const void *source, void *target, size_t count);
void bale_f16_to_f32(const void *source, void *target, size_t count);

// To nearest, ties to even; a NaN keeps the leading bits of its payload, or becomes quiet where none is left.
void bale_f32_to_bf16(const void *source, void *target, size_t count);
void bale_f32_to_f16(const void *source, void *target, size_t count);

// target[i] = table[source[i]] for types of a byte; table has 256 entries.
void bale_bytes_to_f32(const void *source, const float *table, void *target, size_t count);

// The same for types of four bits, two in a byte, the first in the low nibble; table has 16 entries, count is even.
void bale_nibbles_to_f32(const void *source, const float *table, void *target, size_t count);

// A float type of at most 8 bits with a sign: how F32 is rounded to it.
typedef struct {
  uint32_t mantissa_bits;
  uint32_t bias;
  uint32_t sign;          // the sign bit
  uint32_t sign_of_zero;  // the same, or 0 where there is no negative zero
  uint32_t largest;       // code of the largest magnitude
  uint32_t overflow;      // code of magnitudes above it
  uint32_t nan;           // code of NaN
} bale_small_float;

// One code a byte.
void bale_f32_to_small(const void *source, void *target, size_t count, bale_small_float format);

#endif
