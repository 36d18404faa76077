// NVFP4: blocks of 16 elements, a scale byte each: specs/codecs/nvfp4.md. References: Sources/Codecs/NVFP4.
#ifndef BALE_NVFP4_H
#define BALE_NVFP4_H

#include <stddef.h>
#include <stdint.h>

// Decodes a row of `count` elements. `table` has the sixteen values of the codes, `scales_of` the finite scale of every
// scale byte.
void bale_nvfp4_decode(const float *table, const float *scales_of, const uint8_t *codes, const uint8_t *scales,
                       size_t count, float *output);
void bale_nvfp4_decode_bf16(const float *table, const float *scales_of, const uint8_t *codes, const uint8_t *scales,
                            size_t count, uint16_t *output);

// What an encoder knows of scale bytes 0 to 126: the inverse of the scale with the factor of the tensor, 0 for byte 0;
// and the value of the byte alone.
typedef struct {
  float inverses[127];
  float weights[127];
  float unit;    // largest magnitude of a block * unit is what its scale byte should stand for
  int searched;  // 0: the nearest scale byte; 1: the best of several
} bale_nvfp4_scales;

// Encodes a row. Returns `count`, or the start of the first block that holds a value that is not finite.
size_t bale_nvfp4_encode(const bale_nvfp4_scales *known, const float *values, size_t count, uint8_t *codes,
                         uint8_t *scales);

#endif
