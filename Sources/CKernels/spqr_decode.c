// Decoding of SpQR's dense tiles, 16 x 16 with 3-bit statistics. Both paths follow the order of operations of the
// Swift reference (BilevelDecoding.swift) and equal it bit for bit.
#include "spqr.h"

#include "elements.h"
#include "lanes.h"

enum { SIDE = 16, STATISTIC_BYTES = 12, SECOND_LEVEL_BYTES = 8, BLOCK_TILES = 64 };

// Scales and zero points of up to BLOCK_TILES tiles, 16 rows each.
typedef struct {
  float scale[BLOCK_TILES * SIDE];
  float zero[BLOCK_TILES * SIDE];
} row_statistics;

static uint32_t load32(const uint8_t *bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

// ---- portable ----

static float round_to_half(float value) {
  uint16_t bits;
  bale_f32_to_f16(&value, &bits, 1);
  bale_f16_to_f32(&bits, &value, 1);
  return value;
}

static float scaled(float outer, float inner, float offset, int half) {
  if (!half) return outer * (inner - offset);
  return round_to_half(outer * round_to_half(inner - offset));
}

static void portable_decode(const uint8_t *codes, const uint8_t *statistics, const uint8_t *second_level, int bits,
                            int half, size_t height, size_t columns, float *output) {
  for (size_t left = 0; left < columns; left += SIDE) {
    size_t tile = left / SIDE, width = columns - left < SIDE ? columns - left : SIDE;
    float second[4];
    bale_f16_to_f32(second_level + tile * SECOND_LEVEL_BYTES, second, 4);
    const uint8_t *first = statistics + tile * STATISTIC_BYTES;
    uint64_t scales = load32(first) | (uint64_t)(first[4] | first[5] << 8) << 32;
    uint64_t zeros = load32(first + 6) | (uint64_t)(first[10] | first[11] << 8) << 32;
    for (size_t row = 0; row < height; row++) {
      float scale = scaled(second[0], (float)(scales >> 3 * row & 7), second[1], half);
      float zero = scaled(second[2], (float)(zeros >> 3 * row & 7), second[3], half);
      uint64_t word = 0;
      memcpy(&word, codes + (tile * SIDE + row) * 2 * (size_t)bits, 2 * (size_t)bits);
      for (size_t column = 0; column < width; column++, word >>= bits) {
        float code = (float)(word & ((1u << bits) - 1));
        output[row * columns + left + column] = scaled(scale, code, zero, half);
      }
    }
  }
}

// ---- AVX2 ----

#if defined(__x86_64__)

// Inlined where `bits` and `half` are constants.
#define SPECIALISED static inline AVX2 __attribute__((always_inline))

SPECIALISED __m256 rounded(__m256 value, int half) {
  return half ? _mm256_cvtph_ps(_mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT)) : value;
}

SPECIALISED __m256 scaled8(__m256 outer, __m256 inner, __m256 offset, int half) {
  return rounded(_mm256_mul_ps(outer, rounded(_mm256_sub_ps(inner, offset), half)), half);
}

// Eight 3-bit numbers of a word, from bit `first`.
SPECIALISED __m256 eight_statistics(const uint8_t *bytes, int first) {
  __m256i shifts = _mm256_add_epi32(_mm256_setr_epi32(0, 3, 6, 9, 12, 15, 18, 21), _mm256_set1_epi32(first));
  __m256i words = _mm256_srlv_epi32(_mm256_set1_epi32((int)load32(bytes)), shifts);
  return _mm256_cvtepi32_ps(_mm256_and_si256(words, _mm256_set1_epi32(7)));
}

SPECIALISED void sixteen_statistics(const uint8_t *bytes, float scale, float zero, int half, float *output) {
  __m256 outer = _mm256_set1_ps(scale), offset = _mm256_set1_ps(zero);
  _mm256_storeu_ps(output, scaled8(outer, eight_statistics(bytes, 0), offset, half));
  _mm256_storeu_ps(output + 8, scaled8(outer, eight_statistics(bytes + 2, 8), offset, half));
}

SPECIALISED void block_statistics(const uint8_t *statistics, const uint8_t *second_level, size_t tiles, int half,
                                  row_statistics *rows) {
  for (size_t tile = 0; tile < tiles; tile++) {
    __m128i words = _mm_loadl_epi64((const __m128i *)(second_level + tile * SECOND_LEVEL_BYTES));
    float second[4];
    _mm_storeu_ps(second, _mm_cvtph_ps(words));
    const uint8_t *first = statistics + tile * STATISTIC_BYTES;
    sixteen_statistics(first, second[0], second[1], half, rows->scale + tile * SIDE);
    sixteen_statistics(first + 6, second[2], second[3], half, rows->zero + tile * SIDE);
  }
}

// The sixteen values of a row of a tile. Codes select among the row's 4, 8 or 16 values.
SPECIALISED void sixteen_values(const uint8_t *codes, float scale, float zero, int bits, int half, float *output) {
  __m256 outer = _mm256_set1_ps(scale), offset = _mm256_set1_ps(zero);
  __m256 all = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
  if (bits == 2) all = _mm256_setr_ps(0, 1, 2, 3, 0, 1, 2, 3);
  __m256 levels = scaled8(outer, all, offset, half);
  __m256i low, high;
  if (bits == 2) {
    __m256i word = _mm256_set1_epi32((int)load32(codes));
    low = _mm256_srlv_epi32(word, _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
    high = _mm256_srlv_epi32(word, _mm256_setr_epi32(16, 18, 20, 22, 24, 26, 28, 30));
  } else if (bits == 3) {
    low = _mm256_srlv_epi32(_mm256_set1_epi32((int)load32(codes)), _mm256_setr_epi32(0, 3, 6, 9, 12, 15, 18, 21));
    high = _mm256_srlv_epi32(_mm256_set1_epi32((int)load32(codes + 2)),
                             _mm256_setr_epi32(8, 11, 14, 17, 20, 23, 26, 29));
  } else {
    __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    low = _mm256_srlv_epi32(_mm256_set1_epi32((int)load32(codes)), shifts);
    high = _mm256_srlv_epi32(_mm256_set1_epi32((int)load32(codes + 4)), shifts);
  }
  __m256 first = _mm256_permutevar8x32_ps(levels, low), second = _mm256_permutevar8x32_ps(levels, high);
  if (bits == 4) {
    __m256 upper = scaled8(outer, _mm256_setr_ps(8, 9, 10, 11, 12, 13, 14, 15), offset, half);
    first = _mm256_blendv_ps(first, _mm256_permutevar8x32_ps(upper, low),
                             _mm256_castsi256_ps(_mm256_slli_epi32(low, 28)));
    second = _mm256_blendv_ps(second, _mm256_permutevar8x32_ps(upper, high),
                              _mm256_castsi256_ps(_mm256_slli_epi32(high, 28)));
  }
  store_eight(output, 0, first, 0);
  store_eight(output, 8, second, 0);
}

// Decodes a block of tiles row by row, so that the stores run along the rows of the output.
SPECIALISED void avx2_decode(const uint8_t *codes, const uint8_t *statistics, const uint8_t *second_level, int bits,
                             int half, size_t height, size_t columns, float *output) {
  row_statistics rows;
  size_t row_bytes = 2 * (size_t)bits, whole = columns / SIDE, all = (columns + SIDE - 1) / SIDE;
  for (size_t start = 0; start < all; start += BLOCK_TILES) {
    size_t tiles = all - start < BLOCK_TILES ? all - start : BLOCK_TILES;
    block_statistics(statistics + start * STATISTIC_BYTES, second_level + start * SECOND_LEVEL_BYTES, tiles, half,
                     &rows);
    for (size_t row = 0; row < height; row++) {
      float *target = output + row * columns + start * SIDE;
      const uint8_t *source = codes + (start * SIDE + row) * row_bytes;
      for (size_t tile = 0; tile < tiles; tile++, source += SIDE * row_bytes, target += SIDE) {
        float scale = rows.scale[tile * SIDE + row], zero = rows.zero[tile * SIDE + row];
        if (start + tile < whole) {
          sixteen_values(source, scale, zero, bits, half, target);
        } else {
          float edge[SIDE];
          sixteen_values(source, scale, zero, bits, half, edge);
          memcpy(target, edge, (columns % SIDE) * sizeof(float));
        }
      }
    }
  }
}

// One copy a code width and arithmetic, so that the choices are made outside the loops.
#define VARIANT(bits, half)                                                                                        \
  AVX2 static void avx2_decode_##bits##_##half(const uint8_t *codes, const uint8_t *statistics,                    \
                                               const uint8_t *second_level, size_t height, size_t columns,         \
                                               float *output) {                                                    \
    avx2_decode(codes, statistics, second_level, bits, half, height, columns, output);                             \
  }
VARIANT(2, 0)
VARIANT(3, 0)
VARIANT(4, 0)
VARIANT(2, 1)
VARIANT(3, 1)
VARIANT(4, 1)

typedef void (*decoder)(const uint8_t *, const uint8_t *, const uint8_t *, size_t, size_t, float *);

static const decoder avx2_decoders[2][3] = {
    {avx2_decode_2_0, avx2_decode_3_0, avx2_decode_4_0},
    {avx2_decode_2_1, avx2_decode_3_1, avx2_decode_4_1},
};

#endif

void bale_bilevel_decode(const void *codes, const void *statistics, const void *second_level, int bits, int half,
                         size_t height, size_t columns, float *output) {
#if defined(__x86_64__)
  if (has_avx2()) {
    avx2_decoders[half != 0][bits - 2](codes, statistics, second_level, height, columns, output);
    return;
  }
#endif
  portable_decode(codes, statistics, second_level, bits, half, height, columns, output);
}

void bale_bilevel_decode_portable(const void *codes, const void *statistics, const void *second_level, int bits,
                                  int half, size_t height, size_t columns, float *output) {
  portable_decode(codes, statistics, second_level, bits, half, height, columns, output);
}
