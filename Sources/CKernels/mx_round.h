// Rounding of scaled magnitudes to the small floats of MX and NVFP4 elements.
#ifndef BALE_MX_ROUND_H
#define BALE_MX_ROUND_H

#include "lanes.h"
#include "mx.h"

INLINE uint32_t smallest_bits(bale_mx_element e) { return (uint32_t)(127 + e.smallest_exponent) << 23; }

// Adding 2^23 units of the element's last place lets the adder round to nearest, ties to even.
INLINE float rounded(bale_mx_element e, float magnitude) {
  float clipped = magnitude < e.largest ? magnitude : e.largest;
  uint32_t power = bits_of(clipped) & 0x7f800000, smallest = smallest_bits(e);
  float magic = float_of((power > smallest ? power : smallest) + ((23 - e.mantissa_bits) << 23));
  return (clipped + magic) - magic;
}

INLINE uint32_t code_of(bale_mx_element e, float value) {
  uint32_t bits = bits_of(value), smallest = smallest_bits(e), shift = 23 - e.mantissa_bits;
  if (bits < smallest) return (uint32_t)(value * float_of((127u << 23) + (e.mantissa_bits << 23) + (127u << 23) - smallest));
  return (bits >> shift) - ((smallest >> shift) - (1u << e.mantissa_bits));
}

#if defined(__x86_64__)
AVX2_INLINE __m256 rounded_8(bale_mx_element e, __m256 magnitude) {
  __m256 clipped = _mm256_min_ps(magnitude, _mm256_set1_ps(e.largest));
  __m256i power = _mm256_and_si256(_mm256_castps_si256(clipped), _mm256_set1_epi32(0x7f800000));
  power = _mm256_max_epi32(power, _mm256_set1_epi32((int)smallest_bits(e)));
  power = _mm256_add_epi32(power, _mm256_set1_epi32((int)((23 - e.mantissa_bits) << 23)));
  __m256 magic = _mm256_castsi256_ps(power);
  return _mm256_sub_ps(_mm256_add_ps(clipped, magic), magic);
}

AVX2_INLINE __m256i code_of_8(bale_mx_element e, __m256 value) {
  uint32_t smallest = smallest_bits(e), shift = 23 - e.mantissa_bits;
  float units = float_of((254u << 23) + (e.mantissa_bits << 23) - smallest);
  __m256i bits = _mm256_castps_si256(value);
  __m256i subnormal = _mm256_cvttps_epi32(_mm256_mul_ps(value, _mm256_set1_ps(units)));
  __m256i base = _mm256_set1_epi32((int)((smallest >> shift) - (1u << e.mantissa_bits)));
  __m256i normal = _mm256_sub_epi32(_mm256_srl_epi32(bits, _mm_cvtsi32_si128((int)shift)), base);
  __m256i small = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)smallest), bits);
  return _mm256_blendv_epi8(normal, subnormal, small);
}

#endif

#endif
