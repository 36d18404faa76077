// What a kernel starts from: how it is inlined, the bits of a number, and whether the processor has its instructions.
#ifndef BALE_KERNEL_H
#define BALE_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline, unused))

INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

INLINE float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,f16c")))
#define AVX2_INLINE static inline AVX2 __attribute__((always_inline, unused))

INLINE int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c"); }

// How many elements a kernel of AVX2 did: none where the processor doesn't have that.
#define FAST(call) (has_avx2() ? (call) : 0)
#else
#define FAST(call) 0
#endif

#endif
