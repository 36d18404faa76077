// Blocks of ggml: specs/codecs/ggml.md. References: Sources/Codecs/GGML.
#ifndef BALE_GGML_H
#define BALE_GGML_H

#include <stddef.h>
#include <stdint.h>

// Encoders of finite values. Each encodes blocks in order until it meets one that only the reference rounds right
// (magnitudes near the ends of F32, sums out of the range of a cheap rounding) and returns how many it has encoded:
// none where the processor has no AVX2.
size_t bale_ggml_encode_q4_0(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q4_1(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q5_0(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q5_1(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q8_0(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_mxfp4(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q4_k(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q5_k(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q6_k(const float *values, size_t blocks, uint8_t *output);

// A search for scale and depth of sub-blocks: AffineFit.swift.
typedef struct {
  int part;        // elements of a sub-block: 16 or 32
  float largest;   // code
  float first, step;
  int steps;
  int by_magnitude;  // of errors, not their squares
} bale_affine_form;

// Scales and depths of `parts` sub-blocks, a multiple of 8, that follow one another. `weights` are one a value, or NULL
// for those that the K types have without importance. Zero, with nothing to be used, where only the reference rounds
// right.
int bale_ggml_fit_affine(const float *values, const float *weights, size_t parts, bale_affine_form form, float *scales,
                         float *depths);

// Scales of sixteen sub-blocks of 16 with codes from -half to half - 1: SymmetricFit.swift. Without `weights` those are
// the squares. Zero where the processor has no AVX2.
int bale_ggml_fit_symmetric(const float *values, const float *weights, float half, float *scales);

// Decoders. Each returns the number of blocks decoded: all, or none where the processor has no AVX2.
size_t bale_ggml_decode_q4_0(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q8_0(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_mxfp4(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q4_k(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q5_k(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q6_k(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_tq1_0(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_tq2_0(const uint8_t *input, size_t blocks, float *values);

#endif
