#include "elements.h"

#include "kernel.h"

INLINE uint16_t load16(const void *bytes, size_t index) {
  uint16_t code;
  memcpy(&code, (const uint8_t *)bytes + 2 * index, 2);
  return code;
}

INLINE void store16(void *bytes, size_t index, uint16_t code) { memcpy((uint8_t *)bytes + 2 * index, &code, 2); }

INLINE float load32(const void *bytes, size_t index) {
  float value;
  memcpy(&value, (const uint8_t *)bytes + 4 * index, 4);
  return value;
}

INLINE void store32(void *bytes, size_t index, float value) { memcpy((uint8_t *)bytes + 4 * index, &value, 4); }

// ---- One element, portable ----

INLINE float bf16_to_f32(uint16_t code) { return float_of((uint32_t)code << 16); }

INLINE uint16_t f32_to_bf16(float value) {
  uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    uint32_t code = bits >> 16;
    return (uint16_t)(code & 0x7f ? code : code | 0x40);
  }
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// A subnormal number is mantissa * 2^-24, exact in F32.
INLINE float f16_to_f32(uint16_t code) {
  uint32_t sign = (uint32_t)(code & 0x8000) << 16, magnitude = code & 0x7fff;
  if (magnitude >= 0x7c00) return float_of(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  if (magnitude >= 0x400) return float_of(sign | ((magnitude << 13) + ((127 - 15) << 23)));
  return float_of(sign | bits_of((float)magnitude * 0x1p-24f));
}

// The magnitude code of a finite or infinite `bits` (no sign), unlimited above. Below the smallest normal number of
// the target, adding 2^23 units of its last place lets the adder round to nearest, ties to even.
INLINE uint32_t magnitude_code(uint32_t bits, uint32_t mantissa_bits, uint32_t bias) {
  uint32_t shift = 23 - mantissa_bits;
  uint32_t rebased = bits - ((127 - bias) << 23);
  uint32_t normal = (rebased + (1u << (shift - 1)) - 1 + (rebased >> shift & 1)) >> shift;
  uint32_t magic = (127 + 24 - bias - mantissa_bits) << 23;
  uint32_t subnormal = bits_of(float_of(bits) + float_of(magic)) - magic;
  return bits >= (128 - bias) << 23 ? normal : subnormal;
}

INLINE uint16_t f32_to_f16(float value) {
  uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
  if (magnitude > 0x7f800000) {
    uint32_t payload = magnitude >> 13 & 0x3ff;
    return (uint16_t)(sign | 0x7c00 | (payload ? payload : 0x200));
  }
  uint32_t code = magnitude_code(magnitude, 10, 15);
  return (uint16_t)(sign | (code > 0x7bff ? 0x7c00 : code));
}

INLINE uint8_t f32_to_small(float value, bale_small_float format) {
  uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffff;
  uint32_t sign = bits >> 31 ? format.sign : 0;
  uint32_t code = magnitude_code(magnitude, format.mantissa_bits, format.bias);
  code = code > format.largest ? format.overflow : code;
  code = magnitude > 0x7f800000 ? format.nan : code;
  return (uint8_t)(code | (code ? sign : sign & format.sign_of_zero));
}

// ---- AVX2: eight or sixteen elements a step; each returns how many it did ----

#if defined(__x86_64__)
AVX2 static size_t bf16_to_f32_avx2(const void *source, void *target, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)((const uint16_t *)source + i)));
    _mm256_storeu_si256((__m256i *)((float *)target + i), _mm256_slli_epi32(wide, 16));
  }
  return i;
}

// VCVTPH2PS makes a signalling NaN quiet; the blend puts its own bits back.
AVX2 static size_t f16_to_f32_avx2(const void *source, void *target, size_t count) {
  const __m256i magnitudes = _mm256_set1_epi32(0x7fff), infinity = _mm256_set1_epi32(0x7c00);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i codes = _mm_loadu_si128((const __m128i *)((const uint16_t *)source + i));
    __m256i value = _mm256_castps_si256(_mm256_cvtph_ps(codes));
    __m256i magnitude = _mm256_and_si256(_mm256_cvtepu16_epi32(codes), magnitudes);
    __m256i nan = _mm256_cmpgt_epi32(magnitude, infinity);
    __m256i payload = _mm256_slli_epi32(_mm256_and_si256(magnitude, _mm256_set1_epi32(0x3ff)), 13);
    __m256i head = _mm256_and_si256(value, _mm256_set1_epi32((int)0xff800000));
    value = _mm256_blendv_epi8(value, _mm256_or_si256(head, payload), nan);
    _mm256_storeu_si256((__m256i *)((float *)target + i), value);
  }
  return i;
}

// The sixteen-bit code of each NaN: its head, and the quiet bit where no payload bit is left.
AVX2 static inline __m256i nan_codes(__m256i code, int payload_mask, int quiet) {
  __m256i payload = _mm256_and_si256(code, _mm256_set1_epi32(payload_mask));
  __m256i empty = _mm256_cmpeq_epi32(payload, _mm256_setzero_si256());
  return _mm256_or_si256(code, _mm256_and_si256(empty, _mm256_set1_epi32(quiet)));
}

AVX2 static inline __m256i is_nan(__m256i bits) {
  __m256i magnitude = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
  return _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f800000));
}

AVX2 static inline __m256i bf16_codes(__m256i bits) {
  __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  __m256i bump = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
  __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, bump), 16);
  __m256i nan = nan_codes(_mm256_srli_epi32(bits, 16), 0x7f, 0x40);
  return _mm256_blendv_epi8(rounded, nan, is_nan(bits));
}

AVX2 static size_t f32_to_bf16_avx2(const void *source, void *target, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m256i low = bf16_codes(_mm256_loadu_si256((const __m256i *)((const float *)source + i)));
    __m256i high = bf16_codes(_mm256_loadu_si256((const __m256i *)((const float *)source + i + 8)));
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
    _mm256_storeu_si256((__m256i *)((uint16_t *)target + i), packed);
  }
  return i;
}

// VCVTPS2PH makes a signalling NaN quiet; a step with a NaN in it is done one by one.
AVX2 static size_t f32_to_f16_avx2(const void *source, void *target, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 values = _mm256_loadu_ps((const float *)source + i);
    if (_mm256_movemask_ps(_mm256_cmp_ps(values, values, _CMP_UNORD_Q))) {
      for (size_t j = i; j < i + 8; j++) store16(target, j, f32_to_f16(load32(source, j)));
      continue;
    }
    __m128i codes = _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128((__m128i *)((uint16_t *)target + i), codes);
  }
  return i;
}

// The scalar form has no branches and no tables: the compiler makes it eight lanes wide.
AVX2 static void f32_to_small_avx2(const void *source, void *target, size_t count, bale_small_float format) {
  for (size_t i = 0; i < count; i++) ((uint8_t *)target)[i] = f32_to_small(load32(source, i), format);
}
#endif

// ---- Entry points ----

void bale_bf16_to_f32(const void *source, void *target, size_t count) {
  size_t i = FAST(bf16_to_f32_avx2(source, target, count));
  for (; i < count; i++) store32(target, i, bf16_to_f32(load16(source, i)));
}

void bale_f16_to_f32(const void *source, void *target, size_t count) {
  size_t i = FAST(f16_to_f32_avx2(source, target, count));
  for (; i < count; i++) store32(target, i, f16_to_f32(load16(source, i)));
}

void bale_f32_to_bf16(const void *source, void *target, size_t count) {
  size_t i = FAST(f32_to_bf16_avx2(source, target, count));
  for (; i < count; i++) store16(target, i, f32_to_bf16(load32(source, i)));
}

void bale_f32_to_f16(const void *source, void *target, size_t count) {
  size_t i = FAST(f32_to_f16_avx2(source, target, count));
  for (; i < count; i++) store16(target, i, f32_to_f16(load32(source, i)));
}

void bale_bytes_to_f32(const void *source, const float *table, void *target, size_t count) {
  for (size_t i = 0; i < count; i++) store32(target, i, table[((const uint8_t *)source)[i]]);
}

void bale_nibbles_to_f32(const void *source, const float *table, void *target, size_t count) {
  for (size_t i = 0; i < count / 2; i++) {
    uint8_t codes = ((const uint8_t *)source)[i];
    store32(target, 2 * i, table[codes & 15]);
    store32(target, 2 * i + 1, table[codes >> 4]);
  }
}

void bale_f32_to_small(const void *source, void *target, size_t count, bale_small_float format) {
#if defined(__x86_64__)
  if (has_avx2()) {
    f32_to_small_avx2(source, target, count, format);
    return;
  }
#endif
  for (size_t i = 0; i < count; i++) ((uint8_t *)target)[i] = f32_to_small(load32(source, i), format);
}
