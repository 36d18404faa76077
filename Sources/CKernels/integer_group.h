// The nearest code of a value under the terms of its group.
#ifndef BALE_INTEGER_GROUP_H
#define BALE_INTEGER_GROUP_H

#include "integer.h"
#include "lanes.h"

INLINE float nearest_code(float value, bale_group_terms t) {
  if (t.inverse == 0) return t.zero;
  float code = __builtin_rintf((value - t.bias) * t.inverse) + t.zero;
  code = code < t.lowest ? t.lowest : code;
  return code > t.highest ? t.highest : code;
}

#if defined(__x86_64__)
AVX2_INLINE __m256 nearest_code_8(__m256 value, bale_group_terms t) {
  __m256 code = _mm256_mul_ps(_mm256_sub_ps(value, _mm256_set1_ps(t.bias)), _mm256_set1_ps(t.inverse));
  code = _mm256_round_ps(code, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  code = _mm256_add_ps(code, _mm256_set1_ps(t.zero));
  return _mm256_min_ps(_mm256_max_ps(code, _mm256_set1_ps(t.lowest)), _mm256_set1_ps(t.highest));
}
#endif

#endif
