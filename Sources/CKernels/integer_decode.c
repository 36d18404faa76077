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
// The values of all sixteen codes, as bytes of BF16.
AVX2_INLINE bf16_table sixteen_values(enum bale_zero kind, float scale, float zero) {
  __m256 low = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
  __m256 high = _mm256_add_ps(low, _mm256_set1_ps(kind == BALE_SYMMETRIC ? -8 : 8));
  __m256 zeros = _mm256_set1_ps(zero), scales = _mm256_set1_ps(scale);
  if (kind == BALE_ZERO_POINT) low = _mm256_sub_ps(low, zeros), high = _mm256_sub_ps(high, zeros);
  low = _mm256_mul_ps(low, scales), high = _mm256_mul_ps(high, scales);
  if (kind == BALE_BIAS) low = _mm256_add_ps(low, zeros), high = _mm256_add_ps(high, zeros);
  return bf16_table_of(low, high);
}

AVX2_INLINE __m256i load_eight(const uint8_t *bytes, unsigned bits, enum bale_zero kind) {
  if (kind != BALE_SYMMETRIC) return _mm256_and_si256(unpack_eight(bytes, bits), _mm256_set1_epi32((1 << bits) - 1));
  if (bits == 8) return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)bytes));
  int spare = 32 - (int)bits;
  return _mm256_srai_epi32(_mm256_slli_epi32(unpack_eight(bytes, bits), spare), spare);
}

AVX2_INLINE __m256 value_of_eight(const uint8_t *bytes, unsigned bits, enum bale_zero kind, __m256 scales,
                                  __m256 zeros) {
  __m256 values = _mm256_cvtepi32_ps(load_eight(bytes, bits, kind));
  if (kind == BALE_ZERO_POINT) values = _mm256_sub_ps(values, zeros);
  values = _mm256_mul_ps(values, scales);
  return kind == BALE_BIAS ? _mm256_add_ps(values, zeros) : values;
}

// Elements of a group that starts on a byte, 8, 16 or 32 at a time; returns the first that is left.
AVX2_INLINE size_t decode_fast(const uint8_t *codes, unsigned bits, enum bale_zero kind, size_t start, size_t end,
                               float scale, float zero, void *output, int bf16) {
  __m256 scales = _mm256_set1_ps(scale), zeros = _mm256_set1_ps(zero);
  const uint8_t *bytes = codes + start * bits / 8;
  size_t i = start;
  if (bf16 && bits == 4 && end - start >= 32) {
    bf16_table table = sixteen_values(kind, scale, zero);
    for (; i + 32 <= end; i += 32, bytes += 16) store_bf16_32((uint16_t *)output + i, bytes, table, 0);
  }
  // Terms are finite and codes are integers: no value is a NaN.
  for (; bf16 && i + 16 <= end; i += 16, bytes += 2 * bits) {
    __m256 first = value_of_eight(bytes, bits, kind, scales, zeros);
    store_bf16_16((uint16_t *)output + i, first, value_of_eight(bytes + bits, bits, kind, scales, zeros));
  }
  for (; i + 8 <= end; i += 8, bytes += bits) {
    store_eight(output, i, value_of_eight(bytes, bits, kind, scales, zeros), bf16);
  }
  return i;
}
#endif

// Groups from element `start` on, with `count` elements in the row.
typedef struct {
  size_t groups, start, count;
  const float *scales, *zeros;
} batch;

INLINE void decode_batch(const bale_integer_row *row, unsigned bits, enum bale_zero kind, const batch *batch,
                         void *output, int bf16, int fast) {
  for (size_t g = 0; g < batch->groups; g++) {
    size_t start = batch->start + g * row->group;
    size_t end = batch->count - start < row->group ? batch->count : start + row->group;
    float zero = kind == BALE_SYMMETRIC ? 0 : batch->zeros[g];
#if defined(__x86_64__)
    size_t done = start;
    if (fast && start * bits % 8 == 0) {
      done = decode_fast(row->codes, bits, kind, start, end, batch->scales[g], zero, output, bf16);
    }
    decode_group(row, done, end, batch->scales[g], zero, output, bf16);
#else
    decode_group(row, start, end, batch->scales[g], zero, output, bf16);
#endif
  }
}

#if defined(__x86_64__)
// To nearest, ties to even, in the upper half of each lane.
AVX512_INLINE __m512i round_to_upper_half(__m512 values) {
  __m512i bits = _mm512_castps_si512(values), rounded = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
  __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
  return _mm512_mask_add_epi32(rounded, odd, rounded, _mm512_set1_epi32(1));
}

// 32 symmetric codes of eight bits, those with even and odd index apart. None of the values is a NaN.
AVX512_INLINE void decode_bytes_32(const int8_t *codes, __m512 scales, uint16_t *output) {
  __m512i pairs = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)codes));
  __m512i even = _mm512_srai_epi32(_mm512_slli_epi32(pairs, 16), 16), odd = _mm512_srai_epi32(pairs, 16);
  __m512i low = round_to_upper_half(_mm512_mul_ps(_mm512_cvtepi32_ps(even), scales));
  __m512i high = round_to_upper_half(_mm512_mul_ps(_mm512_cvtepi32_ps(odd), scales));
  prepare(output);
  _mm512_storeu_si512(output, _mm512_mask_mov_epi16(_mm512_srli_epi32(low, 16), 0xaaaaaaaa, high));
}

// Whole groups, of a multiple of 32 elements, of symmetric codes of eight bits.
AVX512 static void decode_bytes_bf16(const int8_t *codes, const batch *batch, size_t group, uint16_t *output) {
  for (size_t g = 0; g < batch->groups; g++) {
    size_t start = batch->start + g * group;
    __m512 scales = _mm512_set1_ps(batch->scales[g]);
    for (size_t i = start; i < start + group; i += 32) decode_bytes_32(codes + i, scales, output + i);
  }
}

// True if the kernel above does for a batch.
static int is_wide(const bale_integer_row *row, const batch *batch, int bf16) {
  return bf16 && row->bits == 8 && row->zero == BALE_SYMMETRIC && row->group % 32 == 0 &&
         batch->start + batch->groups * row->group <= batch->count && has_avx512();
}

#define CASE(BITS, KIND) \
  case BITS: return decode_batch(row, BITS, KIND, batch, output, bf16, 1);

#define WIDTHS(KIND)                                                                                            \
  switch (row->bits) {                                                                                          \
    CASE(2, KIND) CASE(3, KIND) CASE(4, KIND) CASE(5, KIND) CASE(6, KIND) CASE(8, KIND)                         \
  }

AVX2_INLINE void decode_kinds(const bale_integer_row *row, const batch *batch, void *output, int bf16) {
  if (row->zero == BALE_SYMMETRIC) { WIDTHS(BALE_SYMMETRIC) }
  if (row->zero == BALE_ZERO_POINT) { WIDTHS(BALE_ZERO_POINT) }
  if (row->zero == BALE_BIAS) { WIDTHS(BALE_BIAS) }
}

AVX2 static void decode_f32_avx2(const bale_integer_row *row, const batch *batch, void *output) {
  decode_kinds(row, batch, output, 0);
}

AVX2 static void decode_bf16_avx2(const bale_integer_row *row, const batch *batch, void *output) {
  decode_kinds(row, batch, output, 1);
}
#endif

INLINE int decode_row(const bale_integer_row *row, size_t count, void *output, int bf16) {
  float scales[BATCH], zeros[BATCH];
  size_t groups = (count + row->group - 1) / row->group;
  for (size_t first = 0; first < groups; first += BATCH) {
    batch batch = {groups - first < BATCH ? groups - first : BATCH, first * row->group, count, scales, zeros};
    if (!load_terms(row, first, batch.groups, scales, zeros)) return 0;
#if defined(__x86_64__)
    if (is_wide(row, &batch, bf16)) {
      decode_bytes_bf16(row->codes, &batch, row->group, output);
      continue;
    }
    if (has_avx2()) {
      (bf16 ? decode_bf16_avx2 : decode_f32_avx2)(row, &batch, output);
      continue;
    }
#endif
    decode_batch(row, row->bits, row->zero, &batch, output, bf16, 0);
  }
  return 1;
}

int bale_integer_decode(const bale_integer_row *row, size_t count, float *output) {
  return decode_row(row, count, output, 0);
}

int bale_integer_decode_bf16(const bale_integer_row *row, size_t count, uint16_t *output) {
  return decode_row(row, count, output, 1);
}
