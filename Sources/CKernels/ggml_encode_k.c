// Encoders of Q4_K, Q5_K and Q6_K. A lane of a vector is a sub-block, so that each sum is taken in the order of the
// reference, and eight trials of a scale go at once.
#include "ggml.h"

#if defined(__x86_64__)
#include "ggml_avx2.h"

#define ELEMENTS 256

typedef struct {
  __m256 lane[8];
} tile;

// Rows of eight become columns.
AVX2_INLINE tile transposed(const float *values, size_t stride) {
  __m256 r[8], t[8];
  for (int row = 0; row < 8; row++) r[row] = _mm256_loadu_ps(values + row * stride);
  for (int pair = 0; pair < 4; pair++) {
    t[2 * pair] = _mm256_unpacklo_ps(r[2 * pair], r[2 * pair + 1]);
    t[2 * pair + 1] = _mm256_unpackhi_ps(r[2 * pair], r[2 * pair + 1]);
  }
  for (int half = 0; half < 2; half++) {
    __m256 *u = t + 4 * half;
    r[4 * half] = _mm256_shuffle_ps(u[0], u[2], 0x44);
    r[4 * half + 1] = _mm256_shuffle_ps(u[0], u[2], 0xee);
    r[4 * half + 2] = _mm256_shuffle_ps(u[1], u[3], 0x44);
    r[4 * half + 3] = _mm256_shuffle_ps(u[1], u[3], 0xee);
  }
  tile columns;
  for (int column = 0; column < 4; column++) {
    columns.lane[column] = _mm256_permute2f128_ps(r[column], r[column + 4], 0x20);
    columns.lane[column + 4] = _mm256_permute2f128_ps(r[column], r[column + 4], 0x31);
  }
  return columns;
}

AVX2_INLINE __m256 nearest(__m256 value, __m256 low, __m256 high) {
  const __m256 rounding = _mm256_set1_ps(ROUNDING);
  __m256 code = _mm256_sub_ps(_mm256_add_ps(value, rounding), rounding);
  return _mm256_max_ps(_mm256_min_ps(code, high), low);
}

// Whether a lane is where `nearest` is exact.
AVX2_INLINE __m256 in_reach(__m256 value) {
  return _mm256_cmp_ps(magnitude(value), _mm256_set1_ps(ROUNDING_LIMIT), _CMP_LE_OQ);
}

AVX2_INLINE int every(__m256 mask) { return _mm256_movemask_ps(mask) == 0xff; }

// The integer that `nearest` of the reference gives, whatever the value.
static inline int32_t nearest_integer(float value) {
  float sum = value + ROUNDING;
  int32_t bits;
  memcpy(&bits, &sum, 4);
  return (bits & 0x7fffff) - 0x400000;
}

// ---- Q4_K and Q5_K: eight sub-blocks of 32, scale * code - depth ----

#define PART 32

typedef struct {
  float largest;  // code
  float first;    // trials
  int steps;
} affine_form;

typedef struct {
  __m256 values[PART], weights[PART];
  __m256 weight, sum;  // of the weights, of the weighted values
  __m256 low, high;
} affine_run;

typedef struct {
  float scale[8], depth[8];
} affine_fit;

AVX2_INLINE affine_run run_of(const float *values) {
  affine_run run;
  for (int start = 0; start < PART; start += 8) {
    tile columns = transposed(values + start, PART);
    for (int index = 0; index < 8; index++) run.values[start + index] = columns.lane[index];
  }
  __m256 energy = _mm256_setzero_ps();
  for (int index = 0; index < PART; index++) {
    energy = _mm256_add_ps(energy, _mm256_mul_ps(run.values[index], run.values[index]));
  }
  __m256 level = _mm256_sqrt_ps(_mm256_mul_ps(energy, _mm256_set1_ps(1.0f / PART)));
  for (int index = 0; index < PART; index++) run.weights[index] = _mm256_add_ps(level, magnitude(run.values[index]));
  run.weight = run.weights[0];
  run.sum = _mm256_mul_ps(run.weights[0], run.values[0]);
  run.low = run.high = run.values[0];
  for (int index = 1; index < PART; index++) {
    run.weight = _mm256_add_ps(run.weight, run.weights[index]);
    run.sum = _mm256_add_ps(run.sum, _mm256_mul_ps(run.weights[index], run.values[index]));
    run.low = _mm256_min_ps(run.low, run.values[index]);
    run.high = _mm256_max_ps(run.high, run.values[index]);
  }
  return run;
}

AVX2_INLINE __m256 error_of(const affine_run *run, const __m256 *codes, __m256 scale, __m256 minimum) {
  __m256 error = _mm256_setzero_ps();
  for (int index = 0; index < PART; index++) {
    __m256 line = _mm256_add_ps(_mm256_mul_ps(scale, codes[index]), minimum);
    __m256 difference = _mm256_sub_ps(line, run->values[index]);
    __m256 square = _mm256_mul_ps(difference, difference);
    error = _mm256_add_ps(error, _mm256_mul_ps(run->weights[index], square));
  }
  return error;
}

typedef struct {
  __m256 code, square, product;
} affine_sums;

// Codes of a trial, and the weighted sums of them, their squares and their products with the values.
AVX2_INLINE affine_sums sums_of(const affine_run *run, __m256 inverse, __m256 origin, __m256 largest, __m256 *codes) {
  affine_sums sums = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  for (int index = 0; index < PART; index++) {
    __m256 distance = _mm256_sub_ps(run->values[index], origin);
    __m256 code = nearest(_mm256_mul_ps(inverse, distance), _mm256_setzero_ps(), largest);
    __m256 weighted = _mm256_mul_ps(run->weights[index], code);
    codes[index] = code;
    sums.code = _mm256_add_ps(sums.code, weighted);
    sums.square = _mm256_add_ps(sums.square, _mm256_mul_ps(weighted, code));
    sums.product = _mm256_add_ps(sums.product, _mm256_mul_ps(weighted, run->values[index]));
  }
  return sums;
}

typedef struct {
  __m256 scale, minimum, valid;
} affine_line;

AVX2_INLINE affine_line line_of(const affine_run *run, affine_sums sums) {
  const __m256 zero = _mm256_setzero_ps();
  __m256 determinant =
      _mm256_sub_ps(_mm256_mul_ps(run->weight, sums.square), _mm256_mul_ps(sums.code, sums.code));
  __m256 scale = _mm256_div_ps(
      _mm256_sub_ps(_mm256_mul_ps(run->weight, sums.product), _mm256_mul_ps(run->sum, sums.code)), determinant);
  __m256 minimum = _mm256_div_ps(
      _mm256_sub_ps(_mm256_mul_ps(sums.square, run->sum), _mm256_mul_ps(sums.code, sums.product)), determinant);
  __m256 above = _mm256_cmp_ps(minimum, zero, _CMP_GT_OQ);
  affine_line line;
  line.scale = _mm256_blendv_ps(scale, _mm256_div_ps(sums.product, sums.square), above);
  line.minimum = _mm256_blendv_ps(minimum, zero, above);
  line.valid = _mm256_cmp_ps(determinant, zero, _CMP_GT_OQ);
  return line;
}

// Whether every code of a trial rounds exactly, but in lanes of `skip`.
AVX2_INLINE int trial_in_reach(const affine_run *run, __m256 inverse, __m256 origin, __m256 skip) {
  __m256 first = in_reach(_mm256_mul_ps(inverse, _mm256_sub_ps(run->low, origin)));
  __m256 last = in_reach(_mm256_mul_ps(inverse, _mm256_sub_ps(run->high, origin)));
  return every(_mm256_or_ps(_mm256_and_ps(first, last), skip));
}

// Zero if a lane has left the range in which rounding is exact.
AVX2_INLINE int fit_affine(const float *values, affine_form form, affine_fit *fit) {
  affine_run run = run_of(values);
  __m256 codes[PART];
  const __m256 largest = _mm256_set1_ps(form.largest), zero = _mm256_setzero_ps();
  __m256 minimum = _mm256_blendv_ps(run.low, zero, _mm256_cmp_ps(run.low, zero, _CMP_GT_OQ));
  const __m256 flat = _mm256_cmp_ps(run.high, minimum, _CMP_EQ_OQ);
  __m256 inverse = _mm256_div_ps(largest, _mm256_sub_ps(run.high, minimum));
  __m256 scale = _mm256_div_ps(_mm256_set1_ps(1), inverse);
  if (!trial_in_reach(&run, inverse, minimum, flat)) return 0;
  sums_of(&run, inverse, minimum, largest, codes);
  __m256 best = error_of(&run, codes, scale, minimum);
  for (int trial = 0; trial <= form.steps; trial++) {
    const float numerator = form.first + 0.1f * (float)trial + form.largest;
    inverse = _mm256_div_ps(_mm256_set1_ps(numerator), _mm256_sub_ps(run.high, minimum));
    if (!trial_in_reach(&run, inverse, minimum, flat)) return 0;
    affine_line line = line_of(&run, sums_of(&run, inverse, minimum, largest, codes));
    __m256 error = error_of(&run, codes, line.scale, line.minimum);
    __m256 better = _mm256_and_ps(line.valid, _mm256_cmp_ps(error, best, _CMP_LT_OQ));
    better = _mm256_andnot_ps(flat, better);
    best = _mm256_blendv_ps(best, error, better);
    scale = _mm256_blendv_ps(scale, line.scale, better);
    minimum = _mm256_blendv_ps(minimum, line.minimum, better);
  }
  _mm256_storeu_ps(fit->scale, _mm256_andnot_ps(flat, scale));
  _mm256_storeu_ps(fit->depth, _mm256_xor_ps(minimum, _mm256_set1_ps(-0.0f)));
  return 1;
}

// Eight integers up to 63 that are to the largest value as the values are; returns the unit.
static inline float integers_of(const float *values, uint8_t *integers) {
  float largest = 0;
  for (int index = 0; index < 8; index++) largest = values[index] > largest ? values[index] : largest;
  float inverse = largest > 0 ? 63.0f / largest : 0;
  for (int index = 0; index < 8; index++) {
    uint8_t integer = (uint8_t)nearest_integer(inverse * values[index]);
    integers[index] = integer > 63 ? 63 : integer;
  }
  return largest / 63.0f;
}

static inline void pack_factors(const uint8_t *scales, const uint8_t *depths, uint8_t *output) {
  for (int index = 0; index < 4; index++) {
    output[index] = (uint8_t)(scales[index] | (scales[index + 4] >> 4) << 6);
    output[index + 4] = (uint8_t)(depths[index] | (depths[index + 4] >> 4) << 6);
    output[index + 8] = (uint8_t)((scales[index + 4] & 15) | (depths[index + 4] & 15) << 4);
  }
}

// Rounds 32 values by scale and depth as stored to bytes. Zero if one is out of range.
AVX2_INLINE int requantize_affine(const float *values, float scale, float depth, int largest, uint8_t *codes) {
  const __m256 s = _mm256_set1_ps(scale), d = _mm256_set1_ps(depth);
  __m256 reach = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  __m256i integers[4];
  for (int index = 0; index < 4; index++) {
    __m256 value = _mm256_div_ps(_mm256_add_ps(_mm256_loadu_ps(values + 8 * index), d), s);
    reach = _mm256_and_ps(reach, in_reach(value));
    integers[index] = _mm256_cvtps_epi32(value);
  }
  __m256i bytes = bytes_of(integers[0], integers[1], integers[2], integers[3]);
  bytes = _mm256_max_epi8(_mm256_min_epi8(bytes, _mm256_set1_epi8((char)largest)), _mm256_setzero_si256());
  _mm256_storeu_si256((__m256i *)codes, bytes);
  return every(reach);
}

// Writes d, dmin and the factors, and the codes of the block as bytes. Zero if the reference must do it.
AVX2_INLINE int encode_affine(const float *values, affine_form form, uint8_t *output, uint8_t *codes) {
  affine_fit fit;
  uint8_t scales[8], depths[8];
  if (!fit_affine(values, form, &fit)) return 0;
  put_half(output, integers_of(fit.scale, scales));
  put_half(output + 2, integers_of(fit.depth, depths));
  pack_factors(scales, depths, output + 4);
  const float unit = get_half(output), depth_unit = get_half(output + 2);
  for (int part = 0; part < 8; part++) {
    float scale = unit * (float)scales[part];
    if (scale == 0) {
      if (fit.scale[part] != 0) return 0;
      memset(codes + PART * part, 0, PART);
    } else if (!requantize_affine(values + PART * part, scale, depth_unit * (float)depths[part], (int)form.largest,
                                  codes + PART * part)) {
      return 0;
    }
  }
  return 1;
}

// Low nibbles: 64 elements take 32 bytes.
static inline void pack_nibbles(const uint8_t *codes, uint8_t *output) {
  for (int group = 0; group < 4; group++, codes += 64, output += 32) {
    for (int index = 0; index < 32; index++) output[index] = (uint8_t)((codes[index] & 15) | codes[index + 32] << 4);
  }
}

AVX2 static size_t encode_q4_k(const float *values, size_t blocks, uint8_t *output) {
  const affine_form form = {15, -1, 20};
  uint8_t codes[ELEMENTS];
  for (size_t block = 0; block < blocks; block++, values += ELEMENTS, output += 144) {
    if (!encode_affine(values, form, output, codes)) return block;
    pack_nibbles(codes, output + 16);
  }
  return blocks;
}

AVX2 static size_t encode_q5_k(const float *values, size_t blocks, uint8_t *output) {
  const affine_form form = {31, -0.5f, 15};
  uint8_t codes[ELEMENTS];
  for (size_t block = 0; block < blocks; block++, values += ELEMENTS, output += 176) {
    if (!encode_affine(values, form, output, codes)) return block;
    for (int index = 0; index < 32; index++) {
      uint8_t bits = 0;
      for (int part = 0; part < 8; part++) bits |= (uint8_t)((codes[PART * part + index] >> 4) << part);
      output[16 + index] = bits;
    }
    pack_nibbles(codes, output + 48);
  }
  return blocks;
}

// ---- Q6_K: sixteen sub-blocks of 16, scale * signed code ----

#define SMALL_PART 16
#define HALF 32.0f
// Sub-blocks whose magnitudes are below this count as zero.
#define NOTHING 1e-15f

typedef struct {
  __m256 product, square;
} symmetric_sums;

typedef struct {
  __m256 values[SMALL_PART], weights[SMALL_PART], weighted[SMALL_PART];
  __m256 peak;  // the first value of largest magnitude
} symmetric_run;

AVX2_INLINE symmetric_run symmetric_run_of(const float *values) {
  symmetric_run run;
  for (int start = 0; start < SMALL_PART; start += 8) {
    tile columns = transposed(values + start, SMALL_PART);
    for (int index = 0; index < 8; index++) run.values[start + index] = columns.lane[index];
  }
  run.peak = _mm256_setzero_ps();
  for (int index = 0; index < SMALL_PART; index++) {
    __m256 value = run.values[index];
    __m256 larger = _mm256_cmp_ps(magnitude(value), magnitude(run.peak), _CMP_GT_OQ);
    run.peak = _mm256_blendv_ps(run.peak, value, larger);
    run.weights[index] = _mm256_mul_ps(value, value);
    run.weighted[index] = _mm256_mul_ps(run.weights[index], value);
  }
  return run;
}

AVX2_INLINE symmetric_sums symmetric_sums_of(const symmetric_run *run, __m256 inverse) {
  symmetric_sums sums = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  for (int index = 0; index < SMALL_PART; index++) {
    __m256 code = nearest(_mm256_mul_ps(inverse, run->values[index]), _mm256_set1_ps(-HALF), _mm256_set1_ps(HALF - 1));
    sums.product = _mm256_add_ps(sums.product, _mm256_mul_ps(run->weighted[index], code));
    sums.square = _mm256_add_ps(sums.square, _mm256_mul_ps(_mm256_mul_ps(run->weights[index], code), code));
  }
  return sums;
}

// Scales of eight sub-blocks.
AVX2_INLINE __m256 fit_symmetric(const float *values) {
  const __m256 zero = _mm256_setzero_ps();
  symmetric_run run = symmetric_run_of(values);
  symmetric_sums sums = symmetric_sums_of(&run, _mm256_div_ps(_mm256_set1_ps(-HALF), run.peak));
  __m256 empty = _mm256_cmp_ps(sums.square, zero, _CMP_EQ_OQ);
  __m256 scale = _mm256_andnot_ps(empty, _mm256_div_ps(sums.product, sums.square));
  __m256 best = _mm256_mul_ps(scale, sums.product);
  for (int trial = -9; trial <= 9; trial++) {
    if (trial == 0) continue;
    const float numerator = -(HALF + 0.1f * (float)trial);
    sums = symmetric_sums_of(&run, _mm256_div_ps(_mm256_set1_ps(numerator), run.peak));
    __m256 better = _mm256_cmp_ps(_mm256_mul_ps(sums.product, sums.product), _mm256_mul_ps(best, sums.square),
                                  _CMP_GT_OQ);
    better = _mm256_and_ps(better, _mm256_cmp_ps(sums.square, zero, _CMP_GT_OQ));
    scale = _mm256_blendv_ps(scale, _mm256_div_ps(sums.product, sums.square), better);
    best = _mm256_blendv_ps(best, _mm256_mul_ps(scale, sums.product), better);
  }
  __m256 some = _mm256_cmp_ps(magnitude(run.peak), _mm256_set1_ps(NOTHING), _CMP_GE_OQ);
  return _mm256_and_ps(scale, some);
}

// Rounds 16 values by a scale as stored to bytes. Zero if one is out of range.
AVX2_INLINE int requantize_symmetric(const float *values, float scale, uint8_t *codes) {
  const __m256 s = _mm256_set1_ps(scale);
  __m256 low = _mm256_div_ps(_mm256_loadu_ps(values), s), high = _mm256_div_ps(_mm256_loadu_ps(values + 8), s);
  __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(low), _mm256_cvtps_epi32(high));
  words = _mm256_permute4x64_epi64(words, 0xd8);
  words = _mm256_min_epi16(_mm256_max_epi16(words, _mm256_set1_epi16(-32)), _mm256_set1_epi16(31));
  words = _mm256_add_epi16(words, _mm256_set1_epi16(32));
  __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128((__m128i *)codes, bytes);
  return every(_mm256_and_ps(in_reach(low), in_reach(high)));
}

static inline void pack_q6_k(const uint8_t *codes, uint8_t *output) {
  for (int half = 0; half < 2; half++, codes += 128) {
    uint8_t *low = output + 64 * half, *high = output + 128 + 32 * half;
    for (int index = 0; index < 64; index++) low[index] = (uint8_t)((codes[index] & 15) | codes[index + 64] << 4);
    for (int index = 0; index < 32; index++) {
      high[index] = (uint8_t)(codes[index] >> 4 | (codes[index + 32] >> 4) << 2 | (codes[index + 64] >> 4) << 4 |
                              (codes[index + 96] >> 4) << 6);
    }
  }
}

AVX2_INLINE int encode_block_q6_k(const float *values, uint8_t *output) {
  float scales[16], peak = 0;
  uint8_t codes[ELEMENTS];
  _mm256_storeu_ps(scales, fit_symmetric(values));
  _mm256_storeu_ps(scales + 8, fit_symmetric(values + 128));
  for (int part = 0; part < 16; part++) {
    peak = __builtin_fabsf(scales[part]) > __builtin_fabsf(peak) ? scales[part] : peak;
  }
  if (__builtin_fabsf(peak) < NOTHING) {
    memset(output, 0, 210);
    return 1;
  }
  const float inverse = -128.0f / peak;
  put_half(output + 208, 1 / inverse);
  const float unit = get_half(output + 208);
  for (int part = 0; part < 16; part++) {
    int32_t factor = nearest_integer(inverse * scales[part]);
    int8_t stored = (int8_t)(factor > 127 ? 127 : factor);
    output[192 + part] = (uint8_t)stored;
    float scale = unit * (float)stored;
    if (scale == 0) {
      if (scales[part] != 0) return 0;
      memset(codes + SMALL_PART * part, 0, SMALL_PART);
    } else if (!requantize_symmetric(values + SMALL_PART * part, scale, codes + SMALL_PART * part)) {
      return 0;
    }
  }
  pack_q6_k(codes, output);
  return 1;
}

AVX2 static size_t encode_q6_k(const float *values, size_t blocks, uint8_t *output) {
  for (size_t block = 0; block < blocks; block++, values += ELEMENTS, output += 210) {
    if (!encode_block_q6_k(values, output)) return block;
  }
  return blocks;
}

#define FAST(call) if (has_avx2()) return call
#else
#define FAST(call)
#endif

size_t bale_ggml_encode_q4_k(const float *values, size_t blocks, uint8_t *output) {
  FAST(encode_q4_k(values, blocks, output));
  return 0;
}

size_t bale_ggml_encode_q5_k(const float *values, size_t blocks, uint8_t *output) {
  FAST(encode_q5_k(values, blocks, output));
  return 0;
}

size_t bale_ggml_encode_q6_k(const float *values, size_t blocks, uint8_t *output) {
  FAST(encode_q6_k(values, blocks, output));
  return 0;
}
