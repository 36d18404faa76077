// Decoding of SpQR's dense tiles, with sides in multiples of 16 and 3-bit statistics. Both paths follow the order of operations of the
// Swift reference (BilevelDecoding.swift) and equal it bit for bit.
#include "spqr.h"

#include "elements.h"
#include "lanes.h"

// SIDE rows of statistics begin on a byte, and so do SIDE codes of a row.
enum { SIDE = 16, SIDE_STATISTIC_BYTES = 6, SECOND_LEVEL_BYTES = 8, BLOCK_TILES = 64 };

// Scales and zero points of SIDE rows of up to BLOCK_TILES tiles.
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

// The number `row` of a run of 3-bit numbers.
static float statistic(const uint8_t *bytes, size_t row) {
  uint64_t words = load32(bytes + row / SIDE * SIDE_STATISTIC_BYTES);
  const uint8_t *rest = bytes + row / SIDE * SIDE_STATISTIC_BYTES + 4;
  words |= (uint64_t)(rest[0] | rest[1] << 8) << 32;
  return (float)(words >> 3 * (row % SIDE) & 7);
}

static void portable_decode(const bale_tiles *tiles, const uint8_t *codes, const uint8_t *statistics,
                            const uint8_t *second_level, int bits, int half, size_t height, size_t columns,
                            float *output) {
  size_t row_bytes = tiles->columns / SIDE * 2 * (size_t)bits;
  for (size_t left = 0, tile = 0; left < columns; left += tiles->columns, tile++) {
    size_t width = columns - left < tiles->columns ? columns - left : tiles->columns;
    float second[4];
    bale_f16_to_f32(second_level + tile * SECOND_LEVEL_BYTES, second, 4);
    const uint8_t *scales = statistics + tile * tiles->statistic_bytes;
    const uint8_t *zeros = scales + tiles->statistic_bytes / 2;
    for (size_t row = 0; row < height; row++) {
      float scale = scaled(second[0], statistic(scales, row), second[1], half);
      float zero = scaled(second[2], statistic(zeros, row), second[3], half);
      const uint8_t *source = codes + tile * tiles->code_bytes + row * row_bytes;
      uint64_t word = 0;
      for (size_t column = 0; column < width; column++, word >>= bits) {
        if (column % SIDE == 0) memcpy(&word, source + column / SIDE * 2 * (size_t)bits, 2 * (size_t)bits);
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

// Of SIDE rows, of which `statistics` has the first.
SPECIALISED void block_statistics(const bale_tiles *geometry, const uint8_t *statistics, const uint8_t *second_level,
                                  size_t tiles, int half, row_statistics *rows) {
  for (size_t tile = 0; tile < tiles; tile++) {
    __m128i words = _mm_loadl_epi64((const __m128i *)(second_level + tile * SECOND_LEVEL_BYTES));
    float second[4];
    _mm_storeu_ps(second, _mm_cvtph_ps(words));
    const uint8_t *first = statistics + tile * geometry->statistic_bytes;
    sixteen_statistics(first, second[0], second[1], half, rows->scale + tile * SIDE);
    sixteen_statistics(first + geometry->statistic_bytes / 2, second[2], second[3], half, rows->zero + tile * SIDE);
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

// The same of codes of 4 bits, with all sixteen values in one register.
AVX512_INLINE void sixteen_values_wide(const uint8_t *codes, float scale, float zero, int bits, int half,
                                       float *output) {
  (void)bits;
  __m512 all = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512 levels = _mm512_sub_ps(all, _mm512_set1_ps(zero));
  if (half) levels = _mm512_cvtph_ps(_mm512_cvtps_ph(levels, _MM_FROUND_TO_NEAREST_INT));
  levels = _mm512_mul_ps(_mm512_set1_ps(scale), levels);
  if (half) levels = _mm512_cvtph_ps(_mm512_cvtps_ph(levels, _MM_FROUND_TO_NEAREST_INT));
  uint64_t word;
  memcpy(&word, codes, sizeof word);
  __m512i words = _mm512_inserti64x4(_mm512_set1_epi32((int)word), _mm256_set1_epi32((int)(word >> 32)), 1);
  __m512i shifts = _mm512_broadcast_i64x4(_mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
  _mm512_storeu_ps(output, _mm512_permutexvar_ps(_mm512_srlv_epi32(words, shifts), levels));
}

// Decodes a block of tiles row by row, so that the stores run along the rows of the output. Of a row of a tile, `width`
// values are inside the tensor.
#define DECODE_TILES(target_inline, name, sixteen)                                                                    \
  target_inline void name##_row(const uint8_t *codes, float scale, float zero, int bits, int half, size_t width,     \
                                float *output) {                                                                     \
    for (; width >= SIDE; width -= SIDE, codes += 2 * bits, output += SIDE) {                                        \
      sixteen(codes, scale, zero, bits, half, output);                                                               \
    }                                                                                                                \
    if (width == 0) return;                                                                                          \
    float edge[SIDE];                                                                                                \
    sixteen(codes, scale, zero, bits, half, edge);                                                                   \
    memcpy(output, edge, width * sizeof(float));                                                                     \
  }                                                                                                                  \
  target_inline void name(const bale_tiles *geometry, const uint8_t *codes, const uint8_t *statistics,               \
                          const uint8_t *second_level, int bits, int half, size_t height, size_t columns,            \
                          float *output) {                                                                           \
    row_statistics rows;                                                                                             \
    size_t side = geometry->columns, row_bytes = side / SIDE * 2 * (size_t)bits, all = (columns + side - 1) / side;  \
    for (size_t start = 0; start < all; start += BLOCK_TILES) {                                                      \
      size_t tiles = all - start < BLOCK_TILES ? all - start : BLOCK_TILES;                                          \
      for (size_t row = 0; row < height; row++) {                                                                    \
        if (row % SIDE == 0) {                                                                                       \
          const uint8_t *first = statistics + start * geometry->statistic_bytes + row / SIDE * SIDE_STATISTIC_BYTES; \
          block_statistics(geometry, first, second_level + start * SECOND_LEVEL_BYTES, tiles, half, &rows);          \
        }                                                                                                            \
        const uint8_t *source = codes + start * geometry->code_bytes + row * row_bytes;                              \
        size_t left = start * side;                                                                                  \
        for (size_t tile = 0; tile < tiles; tile++, source += geometry->code_bytes, left += side) {                  \
          size_t place = tile * SIDE + row % SIDE, width = columns - left < side ? columns - left : side;            \
          name##_row(source, rows.scale[place], rows.zero[place], bits, half, width, output + row * columns + left); \
        }                                                                                                            \
      }                                                                                                              \
    }                                                                                                                \
  }
DECODE_TILES(AVX2_INLINE, avx2_decode, sixteen_values)
DECODE_TILES(AVX512_INLINE, avx512_decode, sixteen_values_wide)

// One copy a code width and arithmetic, so that the choices are made outside the loops.
#define VARIANT(TARGET, target, bits, half)                                                                           \
  TARGET static void target##_decode_##bits##_##half(const bale_tiles *tiles, const uint8_t *codes,                  \
                                                     const uint8_t *statistics, const uint8_t *second_level,         \
                                                     size_t height, size_t columns, float *output) {                 \
    target##_decode(tiles, codes, statistics, second_level, bits, half, height, columns, output);                    \
  }
VARIANT(AVX2, avx2, 2, 0)
VARIANT(AVX2, avx2, 3, 0)
VARIANT(AVX2, avx2, 4, 0)
VARIANT(AVX2, avx2, 2, 1)
VARIANT(AVX2, avx2, 3, 1)
VARIANT(AVX2, avx2, 4, 1)
VARIANT(AVX512, avx512, 4, 0)
VARIANT(AVX512, avx512, 4, 1)

typedef void (*decoder)(const bale_tiles *, const uint8_t *, const uint8_t *, const uint8_t *, size_t, size_t,
                        float *);

static const decoder avx2_decoders[2][3] = {
    {avx2_decode_2_0, avx2_decode_3_0, avx2_decode_4_0},
    {avx2_decode_2_1, avx2_decode_3_1, avx2_decode_4_1},
};

static const decoder avx512_decoders[2] = {avx512_decode_4_0, avx512_decode_4_1};

#endif

void bale_bilevel_decode(const bale_tiles *tiles, const void *codes, const void *statistics, const void *second_level,
                         int bits, int half, size_t height, size_t columns, float *output) {
#if defined(__x86_64__)
  if (bits == 4 && has_avx512()) {
    avx512_decoders[half != 0](tiles, codes, statistics, second_level, height, columns, output);
    return;
  }
  if (has_avx2()) {
    avx2_decoders[half != 0][bits - 2](tiles, codes, statistics, second_level, height, columns, output);
    return;
  }
#endif
  portable_decode(tiles, codes, statistics, second_level, bits, half, height, columns, output);
}

void bale_bilevel_decode_portable(const bale_tiles *tiles, const void *codes, const void *statistics,
                                  const void *second_level, int bits, int half, size_t height, size_t columns,
                                  float *output) {
  portable_decode(tiles, codes, statistics, second_level, bits, half, height, columns, output);
}
