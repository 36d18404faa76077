#include "elements.h"
#include "integer_lanes.h"

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
  return largest_from(0, numbers, count, 0) < 0x7f800000;
}

// Turns scale codes into scales.
static int apply_second_level(const bale_integer_row *row, size_t first, size_t count, float *scales) {
  for (size_t i = 0; i < count;) {
    const size_t superblock = (first + i) / row->superblock, rest = (superblock + 1) * row->superblock - first;
    const size_t end = rest < count ? rest : count;
    float terms[2];
    if (!load_numbers(row->second, BALE_F32, superblock * 2, 2, terms)) return 0;
    float largest = 255 * terms[0];
    if (!__builtin_isfinite(largest + terms[1])) return 0;
    for (; i < end; i++) scales[i] = scales[i] * terms[0] + terms[1];
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

// Groups from element `start` on, with `count` elements in the row.
typedef struct {
  size_t groups, start, count;
  const float *scales, *zeros;
} batch;

// Behind the last element of the group that starts at `start`.
INLINE size_t end_of(const bale_integer_row *row, const batch *batch, size_t start) {
  return batch->count - start < row->group ? batch->count : start + row->group;
}

INLINE void decode_batch(const bale_integer_row *row, const batch *batch, void *output, int bf16) {
  for (size_t g = 0; g < batch->groups; g++) {
    const float zero = row->zero == BALE_SYMMETRIC ? 0 : batch->zeros[g];
    const size_t start = batch->start + g * row->group;
    decode_group(row, start, end_of(row, batch, start), batch->scales[g], zero, output, bf16);
  }
}

#if defined(__x86_64__)
// Batches by a kernel of groups. `bits` and `kind` are constants.
#define DECODE_BATCH(NAME, TARGET_INLINE, GROUP_KERNEL, OUTPUT, BF16)                                           \
  TARGET_INLINE void NAME(const bale_integer_row *row, unsigned bits, enum bale_zero kind, const batch *batch,  \
                          void *output) {                                                                       \
    for (size_t g = 0; g < batch->groups; g++) {                                                                \
      const float scale = batch->scales[g], zero = kind == BALE_SYMMETRIC ? 0 : batch->zeros[g];                \
      const size_t start = batch->start + g * row->group, end = end_of(row, batch, start);                      \
      const uint8_t *bytes = (const uint8_t *)row->codes + start * bits / 8;                                    \
      const int aligned = start * bits % 8 == 0;                                                                \
      size_t done = start;                                                                                      \
      if (aligned) done += GROUP_KERNEL(bytes, bits, kind, end - start, scale, zero, (OUTPUT *)output + start); \
      if (done < end) decode_group(row, done, end, scale, zero, output, BF16);                                  \
    }                                                                                                           \
  }

DECODE_BATCH(batch_f32_avx2, AVX2_INLINE, group_f32_avx2, float, 0)
DECODE_BATCH(batch_bf16_avx2, AVX2_INLINE, group_bf16_avx2, uint16_t, 1)
DECODE_BATCH(batch_bf16_avx512, AVX512_INLINE, group_bf16_avx512, uint16_t, 1)

#define CASE(BATCH, BITS, KIND) \
  case BITS: return BATCH(row, BITS, KIND, batch, output);

#define WIDTHS(BATCH, KIND)                                                              \
  switch (row->bits) {                                                                   \
    CASE(BATCH, 2, KIND) CASE(BATCH, 3, KIND) CASE(BATCH, 4, KIND) CASE(BATCH, 5, KIND)  \
    CASE(BATCH, 6, KIND) CASE(BATCH, 8, KIND)                                            \
  }

#define DECODE(NAME, TARGET, BATCH)                                                          \
  TARGET static void NAME(const bale_integer_row *row, const batch *batch, void *output) {   \
    if (row->zero == BALE_SYMMETRIC) { WIDTHS(BATCH, BALE_SYMMETRIC) }                       \
    if (row->zero == BALE_ZERO_POINT) { WIDTHS(BATCH, BALE_ZERO_POINT) }                     \
    if (row->zero == BALE_BIAS) { WIDTHS(BATCH, BALE_BIAS) }                                 \
  }

DECODE(decode_f32_avx2, AVX2, batch_f32_avx2)
DECODE(decode_bf16_avx2, AVX2, batch_bf16_avx2)
DECODE(decode_bf16_avx512, AVX512, batch_bf16_avx512)

static void decode_fast(const bale_integer_row *row, const batch *batch, void *output, int bf16) {
  if (!bf16) return decode_f32_avx2(row, batch, output);
  (row->group >= 32 && has_avx512() ? decode_bf16_avx512 : decode_bf16_avx2)(row, batch, output);
}
#endif

INLINE int decode_row(const bale_integer_row *row, size_t count, void *output, int bf16) {
  float scales[BATCH], zeros[BATCH];
  size_t groups = (count + row->group - 1) / row->group;
  for (size_t first = 0; first < groups; first += BATCH) {
    batch batch = {groups - first < BATCH ? groups - first : BATCH, first * row->group, count, scales, zeros};
    if (!load_terms(row, first, batch.groups, scales, zeros)) return 0;
#if defined(__x86_64__)
    if (has_avx2()) {
      decode_fast(row, &batch, output, bf16);
      continue;
    }
#endif
    decode_batch(row, &batch, output, bf16);
  }
  return 1;
}

int bale_integer_decode(const bale_integer_row *row, size_t count, float *output) {
  return decode_row(row, count, output, 0);
}

int bale_integer_decode_bf16(const bale_integer_row *row, size_t count, uint16_t *output) {
  return decode_row(row, count, output, 1);
}
