#if defined(__x86_64__)
#include "ggml_lanes_avx2.h"
#include "ggml_fit.h"
#endif
