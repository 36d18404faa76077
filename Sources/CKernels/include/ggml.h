// Blocks of ggml: specs/codecs/ggml.md. References: Sources/Codecs/GGML.
#ifndef BALE_GGML_H
#define BALE_GGML_H

#include <stddef.h>
#include <stdint.h>

// Encoders of finite values. Each encodes blocks in order until it meets one that only the reference rounds right
// (magnitudes near the ends of F32, sums out of the range of a cheap rounding) and returns how many it has encoded:
// none where the processor has no AVX2.
size_t bale_ggml_encode_q4_0(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q8_0(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_mxfp4(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q4_k(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q5_k(const float *values, size_t blocks, uint8_t *output);
size_t bale_ggml_encode_q6_k(const float *values, size_t blocks, uint8_t *output);

// Decoders. Each returns the number of blocks decoded: all, or none where the processor has no AVX2.
size_t bale_ggml_decode_q4_0(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q8_0(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_mxfp4(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q4_k(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q5_k(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_q6_k(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_tq1_0(const uint8_t *input, size_t blocks, float *values);
size_t bale_ggml_decode_tq2_0(const uint8_t *input, size_t blocks, float *values);

// The largest magnitude as the bits of an F32: 0x7F800000 or above if a value is not finite.
uint32_t bale_f32_peak(const float *values, size_t count);

#endif
