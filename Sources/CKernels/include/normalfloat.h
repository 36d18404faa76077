// Codes of four bits into a table of sixteen values, a scale for each block of the flattened tensor, first code in the
// high bits: specs/codecs/normalfloat.md. References: Sources/Codecs/NormalFloat.
#ifndef BALE_NORMALFLOAT_H
#define BALE_NORMALFLOAT_H

#include <stddef.h>
#include <stdint.h>

// Decodes `count` codes in blocks of `block` (even), of which the last may be short, a scale each.
void bale_table4_decode(const float *table, const float *scales, size_t block, const uint8_t *codes, size_t count,
                        float *output);
void bale_table4_decode_bf16(const float *table, const float *scales, size_t block, const uint8_t *codes, size_t count,
                             uint16_t *output);

// Scales that are bytes into a map of 256 numbers: map[byte] * second + offset. Returns 0 if one is not finite.
int bale_table4_scales(const float *map, const uint8_t *bytes, float second, float offset, size_t count,
                       float *scales);

// A scaled value takes the code of the number of thresholds that it exceeds.
typedef struct {
  float thresholds[15];
  uint8_t codes[16];
} bale_table4_search;

// Encodes one block of values times `inverse`.
void bale_table4_encode(const bale_table4_search *search, const float *values, float inverse, size_t count,
                        uint8_t *codes);

#endif
