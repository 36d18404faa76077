// FP8 codes under scales of rectangles: specs/codecs/fp8.md. References: Sources/Codecs/FP8.
#ifndef BALE_FP8_H
#define BALE_FP8_H

#include <stddef.h>
#include <stdint.h>

// Types of codes that have a way of their own.
enum bale_fp8 { BALE_E4M3, BALE_E5M2, BALE_OTHER_FP8 };

// Decodes `count` codes of one scale. `table` has the value of every code.
void bale_fp8_decode(const float *table, enum bale_fp8 kind, float scale, const uint8_t *codes, size_t count, float *output);
void bale_fp8_decode_bf16(const float *table, enum bale_fp8 kind, float scale, const uint8_t *codes, size_t count,
                          uint16_t *output);

// values * inverse, clipped to magnitudes of at most `largest`. No value is a NaN.
void bale_scale_and_clip(const float *values, float inverse, float largest, size_t count, float *output);

#endif
