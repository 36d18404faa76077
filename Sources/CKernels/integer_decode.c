#include "elements.h"
#include "integer.h"
#include "lanes.h"

enum { BATCH = 64 };

static size_t width_of(enum bale_scalar type) { return type == BALE_F32 ? 4 : type == BALE_BYTE ? 1 : 2; }

// Widens `count` stored numbers from index `first` on. Returns 0 if one is not finite.
static int load_numbers(const void *plane, enum bale_scalar type, size_t first, size_t count, float *numbers) {
  const uint8_t *source = (const uint8_t *)plane + first * width_of(type);
  if (type == BALE_F16) {
    bale_f16_to_f32(source, numbers, count);
  } else if (type == BALE_BF16) {
    bale_bf16_to_f32(source, numbers, count);
  } else if (type == BALE_F32) {
    memcpy(numbers, source, count * 4);
  } else {
    for (size_t i = 0; i < count; i++) numbers[i] = source[i];
  }
  uint32_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t magnitude = bits_of(numbers[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest < 0x7f800000;
}

// Turns scale codes into scales.
static int apply_second_level(const bale_integer_row *row, size_t first, size_t count, float *scales) {
  for (size_t i = 0; i < count; i++) {
    float terms[2];
    if (!load_numbers(row->second, BALE_F32, (first + i) / row->superblock * 2, 2, terms)) return 0;
    float largest = 255 * terms[0];
    if (!__builtin_isfinite(largest + terms[1])) return 0;
    scales[i] = scales[i] * terms[0] + terms[1];
  }
  return 1;
}

static int load_terms(const bale_integer_row *row, size_t first, size_t count, float *scales, float *zeros) {
  if (!load_numbers(row->scales, row->scale, first, count, scales)) return 0;
  if (row->scale == BALE_BYTE && !apply_second_level(row, first, count, scales)) return 0;
  if (row->zero == BALE_SYMMETRIC) return 1;
  return load_numbers(row->zeros, row->zero == BALE_BIAS ? row->bias : BALE_BYTE, first, count, zeros);
}

// Elements start..<end, which are one group, from `start` on.
INLINE void decode_group(const bale_integer_row *row, size_t start, size_t end, float scale, float zero, void *output,
                         int bf16) {
  unsigned spare = 32 - row->bits;
  for (size_t i = start; i < end; i++) {
    uint32_t code = code_at(row->codes, i, row->bits);
    float value;
    if (row->zero == BALE_SYMMETRIC) {
      value = (float)((int32_t)(code << spare) >> spare) * scale;
    } else if (row->zero == BALE_ZERO_POINT) {
      value = ((float)code - zero) * scale;
    } else {
      value = (float)code * scale;
      value = value + zero;
    }
    store_one(output, i, value, bf16);
  }
}

#if defined(__x86_64__)
// Steps of eight elements of a group that starts on a byte; returns the first element that is left.
AVX2_INLINE size_t decode_eights(const uint8_t *codes, unsigned bits, enum bale_zero kind, size_t start, size_t end,
                                 float scale, float zero, void *output, int bf16) {
  const __m256i mask = _mm256_set1_epi32((1 << bits) - 1);
  __m256 scales = _mm256_set1_ps(scale), zeros = _mm256_set1_ps(zero);
  const uint8_t *bytes = codes + start * bits / 8;
  size_t i = start;
  for (; i + 8 <= end; i += 8, bytes += bits) {
    __m256i lanes = unpack_eight(bytes, bits);
    if (kind == BALE_SYMMETRIC) {
      lanes = _mm256_srai_epi32(_mm256_slli_epi32(lanes, 32 - (int)bits), 32 - (int)bits);
    } else {
      lanes = _mm256_and_si256(lanes, mask);
    }
    __m256 values = _mm256_cvtepi32_ps(lanes);
    if (kind == BALE_ZERO_POINT) values = _mm256_sub_ps(values, zeros);
    values = _mm256_mul_ps(values, scales);
    if (kind == BALE_BIAS) values = _mm256_add_ps(values, zeros);
    store_eight(output, i, values, bf16);
  }
  return i;
}

#define WIDTH(BITS, KIND) \
  case BITS: return decode_eights(codes, BITS, KIND, start, end, scale, zero, output, bf16);

#define WIDTHS(KIND)                                                                                          \
  switch (bits) { WIDTH(2, KIND) WIDTH(3, KIND) WIDTH(4, KIND) WIDTH(5, KIND) WIDTH(6, KIND) WIDTH(8, KIND) } \
  return start

AVX2_INLINE size_t decode_kind(const uint8_t *codes, unsigned bits, enum bale_zero kind, size_t start, size_t end,
                               float scale, float zero, void *output, int bf16) {
  if (kind == BALE_SYMMETRIC) { WIDTHS(BALE_SYMMETRIC); }
  if (kind == BALE_ZERO_POINT) { WIDTHS(BALE_ZERO_POINT); }
  WIDTHS(BALE_BIAS);
}

AVX2 static size_t decode_f32_avx2(const bale_integer_row *row, size_t start, size_t end, float scale, float zero,
                                   void *output) {
  return decode_kind(row->codes, row->bits, row->zero, start, end, scale, zero, output, 0);
}

AVX2 static size_t decode_bf16_avx2(const bale_integer_row *row, size_t start, size_t end, float scale, float zero,
                                    void *output) {
  return decode_kind(row->codes, row->bits, row->zero, start, end, scale, zero, output, 1);
}
#endif

// As much of a group as the vector kernel takes; returns the first element that is left.
INLINE size_t decode_fast(const bale_integer_row *row, size_t start, size_t end, float scale, float zero,
                          void *output, int bf16) {
#if defined(__x86_64__)
  if (has_avx2() && start * row->bits % 8 == 0) {
    return (bf16 ? decode_bf16_avx2 : decode_f32_avx2)(row, start, end, scale, zero, output);
  }
#endif
  return start;
}

INLINE int decode_row(const bale_integer_row *row, size_t count, void *output, int bf16) {
  float scales[BATCH], zeros[BATCH];
  size_t groups = (count + row->group - 1) / row->group;
  for (size_t first = 0; first < groups; first += BATCH) {
    size_t batch = groups - first < BATCH ? groups - first : BATCH;
    if (!load_terms(row, first, batch, scales, zeros)) return 0;
    for (size_t g = 0; g < batch; g++) {
      size_t start = (first + g) * row->group;
      size_t end = count - start < row->group ? count : start + row->group;
      float zero = row->zero == BALE_SYMMETRIC ? 0 : zeros[g];
      size_t done = decode_fast(row, start, end, scales[g], zero, output, bf16);
      decode_group(row, done, end, scales[g], zero, output, bf16);
    }
  }
  return 1;
}

int bale_integer_decode(const bale_integer_row *row, size_t count, float *output) {
  return decode_row(row, count, output, 0);
}

int bale_integer_decode_bf16(const bale_integer_row *row, size_t count, uint16_t *output) {
  return decode_row(row, count, output, 1);
}
