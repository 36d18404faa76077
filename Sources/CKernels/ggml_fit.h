// Searches for the scales of sub-blocks, one in each lane, so that every sum is taken in the order of the reference:
// AffineFit.swift and SymmetricFit.swift. Included after a header that says what lanes are.
#include "ggml_searches.h"

#define MOST 32

LANES_INLINE lanes nearest(lanes value, lanes low, lanes high) {
  const lanes rounding = splat(ROUNDING);
  return larger(smaller(subtract(add(value, rounding), rounding), high), low);
}

// Lanes where `nearest` is not exact.
LANES_INLINE lanes_mask out_of_reach(lanes value) {
  lanes size = absolute(value);
  return but(is_equal(splat(0), splat(0)), is_less(size, splat(ROUNDING_LIMIT)));
}

LANES_INLINE void load_part(const float *values, int part, lanes *columns) {
  for (int start = 0; start < part; start += 8) load_columns(values + start, (size_t)part, columns + start);
}

// ---- scale * code - depth ----

typedef struct {
  lanes values[MOST], weights[MOST];
  lanes weight, sum;  // of the weights, of the weighted values
  lanes low, high;
} affine_run;

// Weights without importance: the magnitude, for 32 elements on top of their root mean square.
LANES_INLINE void weigh(affine_run *run, int part) {
  lanes energy = splat(0);
  for (int index = 0; index < part; index++) energy = add(energy, multiply(run->values[index], run->values[index]));
  lanes level = part == 32 ? root(multiply(energy, splat(1.0f / 32))) : splat(0);
  for (int index = 0; index < part; index++) run->weights[index] = add(level, absolute(run->values[index]));
}

LANES_INLINE void load_run(affine_run *run, const float *values, const float *weights, int part) {
  load_part(values, part, run->values);
  if (weights) {
    load_part(weights, part, run->weights);
  } else {
    weigh(run, part);
  }
  run->weight = run->weights[0];
  run->sum = multiply(run->weights[0], run->values[0]);
  run->low = run->high = run->values[0];
  for (int index = 1; index < part; index++) {
    run->weight = add(run->weight, run->weights[index]);
    run->sum = add(run->sum, multiply(run->weights[index], run->values[index]));
    run->low = smaller(run->low, run->values[index]);
    run->high = larger(run->high, run->values[index]);
  }
}

LANES_INLINE lanes error_of(const affine_run *run, const lanes *codes, lanes scale, lanes minimum,
                            bale_affine_form form) {
  lanes error = splat(0);
  for (int index = 0; index < form.part; index++) {
    lanes difference = subtract(add(multiply(scale, codes[index]), minimum), run->values[index]);
    lanes size = form.by_magnitude ? absolute(difference) : multiply(difference, difference);
    error = add(error, multiply(run->weights[index], size));
  }
  return error;
}

typedef struct {
  lanes code, square, product;
} affine_sums;

// Codes of a trial, and the weighted sums of them, their squares and their products with the values.
LANES_INLINE affine_sums affine_sums_of(const affine_run *run, lanes inverse, lanes origin, lanes *codes,
                                        bale_affine_form form) {
  affine_sums sums = {splat(0), splat(0), splat(0)};
  for (int index = 0; index < form.part; index++) {
    lanes distance = subtract(run->values[index], origin);
    lanes code = nearest(multiply(inverse, distance), splat(0), splat(form.largest));
    lanes weighted = multiply(run->weights[index], code);
    codes[index] = code;
    sums.code = add(sums.code, weighted);
    sums.square = add(sums.square, multiply(weighted, code));
    sums.product = add(sums.product, multiply(weighted, run->values[index]));
  }
  return sums;
}

typedef struct {
  lanes scale, minimum;
  lanes_mask valid;
} affine_line;

LANES_INLINE affine_line line_of(const affine_run *run, affine_sums sums) {
  lanes determinant = subtract(multiply(run->weight, sums.square), multiply(sums.code, sums.code));
  lanes scale = divide(subtract(multiply(run->weight, sums.product), multiply(run->sum, sums.code)), determinant);
  lanes minimum = divide(subtract(multiply(sums.square, run->sum), multiply(sums.code, sums.product)), determinant);
  lanes_mask above = is_less(splat(0), minimum);
  affine_line line;
  line.scale = choose(above, divide(sums.product, sums.square), scale);
  line.minimum = choose(above, splat(0), minimum);
  line.valid = is_less(splat(0), determinant);
  return line;
}

// Whether a code of a trial may round wrong, in any lane but those of `skip`.
LANES_INLINE int trial_out_of_reach(const affine_run *run, lanes inverse, lanes origin, lanes_mask skip) {
  lanes_mask first = out_of_reach(multiply(inverse, subtract(run->low, origin)));
  lanes_mask last = out_of_reach(multiply(inverse, subtract(run->high, origin)));
  return any(but(first, skip)) || any(but(last, skip));
}

// Zero if a lane has left the range in which rounding is exact.
LANES_INLINE int fit_affine(const float *values, const float *weights, bale_affine_form form, float *scales,
                            float *depths) {
  affine_run run;
  lanes codes[MOST];
  load_run(&run, values, weights, form.part);
  lanes minimum = choose(is_less(splat(0), run.low), splat(0), run.low);
  const lanes_mask flat = is_equal(run.high, minimum);
  lanes inverse = divide(splat(form.largest), subtract(run.high, minimum));
  lanes scale = divide(splat(1), inverse);
  if (trial_out_of_reach(&run, inverse, minimum, flat)) return 0;
  affine_sums_of(&run, inverse, minimum, codes, form);
  lanes best = error_of(&run, codes, scale, minimum, form);
  for (int trial = 0; trial <= form.steps; trial++) {
    const float numerator = form.first + form.step * (float)trial + form.largest;
    inverse = divide(splat(numerator), subtract(run.high, minimum));
    if (trial_out_of_reach(&run, inverse, minimum, flat)) return 0;
    affine_line line = line_of(&run, affine_sums_of(&run, inverse, minimum, codes, form));
    lanes error = error_of(&run, codes, line.scale, line.minimum, form);
    lanes_mask better = but(both(line.valid, is_less(error, best)), flat);
    best = choose(better, error, best);
    scale = choose(better, line.scale, scale);
    minimum = choose(better, line.minimum, minimum);
  }
  store(scales, choose(flat, splat(0), scale));
  store(depths, subtract(splat(-0.0f), minimum));
  return 1;
}

// ---- scale * signed code ----

#define SMALL_PART 16
// Sub-blocks whose magnitudes are below this count as zero.
#define NOTHING 1e-15f

typedef struct {
  lanes values[SMALL_PART], weights[SMALL_PART], weighted[SMALL_PART];
  lanes peak;  // the first value of largest magnitude
} symmetric_run;

typedef struct {
  lanes product, square;
} symmetric_sums;

LANES_INLINE void load_symmetric(symmetric_run *run, const float *values, const float *weights) {
  load_part(values, SMALL_PART, run->values);
  if (weights) load_part(weights, SMALL_PART, run->weights);
  run->peak = splat(0);
  for (int index = 0; index < SMALL_PART; index++) {
    lanes value = run->values[index];
    run->peak = choose(is_less(absolute(run->peak), absolute(value)), value, run->peak);
    if (!weights) run->weights[index] = multiply(value, value);
    run->weighted[index] = multiply(run->weights[index], value);
  }
}

// Which codes of a trial can be out of range.
enum reach { NONE, ABOVE, ANY };

// The sums of a trial. The peak's quotient is -(half + 0.1 * trial) but for its last places, and no other is farther from
// zero: up to trial 4 none rounds to less than -half, up to trial -6 none to more than half - 1.
LANES_INLINE symmetric_sums symmetric_sums_of(const symmetric_run *run, lanes inverse, float half, enum reach reach) {
  const lanes rounding = splat(ROUNDING);
  symmetric_sums sums = {splat(0), splat(0)};
  for (int index = 0; index < SMALL_PART; index++) {
    lanes code = subtract(add(multiply(inverse, run->values[index]), rounding), rounding);
    if (reach != NONE) code = smaller(code, splat(half - 1));
    if (reach == ANY) code = larger(code, splat(-half));
    sums.product = add(sums.product, multiply(run->weighted[index], code));
    sums.square = add(sums.square, multiply(multiply(run->weights[index], code), code));
  }
  return sums;
}

typedef struct {
  lanes scale, best;
} symmetric_fit;

// Keeps the better ones of the scales of trials first...last.
LANES_INLINE void try_symmetric(const symmetric_run *run, float half, int first, int last, enum reach reach,
                                symmetric_fit *fit) {
  for (int trial = first; trial <= last; trial++) {
    if (trial == 0) continue;
    const float numerator = -(half + 0.1f * (float)trial);
    symmetric_sums sums = symmetric_sums_of(run, divide(splat(numerator), run->peak), half, reach);
    lanes_mask better = is_less(multiply(fit->best, sums.square), multiply(sums.product, sums.product));
    better = both(better, is_less(splat(0), sums.square));
    fit->scale = choose(better, divide(sums.product, sums.square), fit->scale);
    fit->best = choose(better, multiply(fit->scale, sums.product), fit->best);
  }
}

// Scales of sub-blocks of 16. Without weights, those are the squares.
LANES_INLINE void fit_symmetric(const float *values, const float *weights, float half, float *scales) {
  symmetric_run run;
  load_symmetric(&run, values, weights);
  symmetric_sums sums = symmetric_sums_of(&run, divide(splat(-half), run.peak), half, ABOVE);
  symmetric_fit fit;
  fit.scale = choose(is_equal(sums.square, splat(0)), splat(0), divide(sums.product, sums.square));
  fit.best = multiply(fit.scale, sums.product);
  try_symmetric(&run, half, -9, -6, NONE, &fit);
  try_symmetric(&run, half, -5, 4, ABOVE, &fit);
  try_symmetric(&run, half, 5, 9, ANY, &fit);
  store(scales, choose(is_less(absolute(run.peak), splat(NOTHING)), splat(0), fit.scale));
}

// ---- Entry points ----

LANES_TARGET int LANES_NAME(bale_fit_affine)(const float *values, const float *weights, bale_affine_form form,
                                             float *scales, float *depths) {
  // Constants make loops that can be unrolled.
  if (form.part == 32) {
    form.part = 32;
    form.by_magnitude = 0;
    return fit_affine(values, weights, form, scales, depths);
  }
  form.part = 16;
  if (form.by_magnitude) {
    form.by_magnitude = 1;
    return fit_affine(values, weights, form, scales, depths);
  }
  form.by_magnitude = 0;
  return fit_affine(values, weights, form, scales, depths);
}

LANES_TARGET void LANES_NAME(bale_fit_symmetric)(const float *values, const float *weights, float half, float *scales) {
  fit_symmetric(values, weights, half, scales);
}
