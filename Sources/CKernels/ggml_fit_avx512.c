#if defined(__x86_64__)
#include "ggml_lanes_avx512.h"
#include "ggml_fit.h"
#endif
