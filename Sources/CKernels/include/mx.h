// MX blocks of 32 elements: specs/codecs/mx.md. References: Sources/Codecs/MX/MXCodec+Reference.swift.
#ifndef BALE_MX_H
#define BALE_MX_H

#include <stddef.h>
#include <stdint.h>

// Decodes a row of `count` elements. `table` has the value of every code of `bits` (4, 6 or 8) bits; no scale may be
// 0xff.
void bale_mx_decode(const float *table, unsigned bits, const uint8_t *codes, const uint8_t *scales, size_t count,
                    float *output);
void bale_mx_decode_bf16(const float *table, unsigned bits, const uint8_t *codes, const uint8_t *scales,
                         size_t count, uint16_t *output);

typedef struct {
  uint32_t bits;
  uint32_t mantissa_bits;
  int32_t smallest_exponent;  // of normal values
  int32_t largest_exponent;
  float largest;
} bale_mx_element;

enum bale_mx_rule { BALE_MX_SEARCH, BALE_MX_FLOOR, BALE_MX_EVEN, BALE_MX_CEIL };

// Encodes a row. Returns `count`, or the start of the first block that holds a value that is not finite.
size_t bale_mx_encode(bale_mx_element element, enum bale_mx_rule rule, const float *values, size_t count,
                      uint8_t *codes, uint8_t *scales);

#endif
