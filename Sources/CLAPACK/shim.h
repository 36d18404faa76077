#include <cblas.h>

// LAPACK's Cholesky factorisation and triangular inverse, as OpenBLAS exports them. Matrices are column-major.
void spotrf_(const char *triangle, const int *n, float *matrix, const int *leading, int *info);
void strtri_(const char *triangle, const char *diagonal, const int *n, float *matrix, const int *leading, int *info);
