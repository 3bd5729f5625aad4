/**
 * The random numbers of the BBOB functions, which make an instance identical in all implementations.
 *
 * uniform: the minimal standard generator (×16807 mod 2³¹ − 1, by Schrage's division) with a shuffle table of 32 words,
 * after 40 warm-up steps; values in (0, 1). normal: Box-Muller, with the second half of 2n uniforms as angles.
 * rotation: Gram-Schmidt on the columns of a normal d × d matrix, filled column by column. Source: Hansen, Finck, Ros,
 * Auger 2009 (INRIA RR-6829), and the instances that the COCO platform defines.
 */
const MODULUS = 2147483647;
const QUOTIENT = 127773;
const TABLE = 32;
const WARM_UP = 40;
/** Divisor of MODULUS that maps a word to one of the table's entries. */
const SHARE = 67108865;

/** @param {number} state */
function next(state) {
  const high = Math.floor(state / QUOTIENT);
  const value = 16807 * (state - high * QUOTIENT) - 2836 * high;
  return value < 0 ? value + MODULUS : value;
}

/**
 * @param {number} count
 * @param {number} seed
 */
export function uniform(count, seed) {
  let state = Math.max(1, Math.abs(seed));
  const table = new Float64Array(TABLE);
  for (let i = WARM_UP - 1; i >= 0; i--) {
    state = next(state);
    if (i < TABLE) table[i] = state;
  }
  let word = table[0];
  return Float64Array.from({ length: count }, () => {
    state = next(state);
    const at = Math.floor(word / SHARE);
    word = table[at];
    table[at] = state;
    return word / MODULUS || 1e-99;
  });
}

/**
 * @param {number} count
 * @param {number} seed
 */
export function normal(count, seed) {
  const u = uniform(2 * count, seed);
  return Float64Array.from(
    { length: count },
    (_, i) => Math.sqrt(-2 * Math.log(u[i])) * Math.cos(2 * Math.PI * u[count + i]) || 1e-99,
  );
}

/**
 * Returns an orthogonal matrix, as its rows.
 *
 * @param {number} d
 * @param {number} seed
 */
export function rotation(d, seed) {
  const numbers = normal(d * d, seed);
  const columns = Array.from({ length: d }, (_, j) => numbers.subarray(j * d, (j + 1) * d));
  for (const [j, column] of columns.entries()) {
    for (const earlier of columns.slice(0, j)) {
      const product = column.reduce((sum, v, i) => sum + v * earlier[i], 0);
      for (let i = 0; i < d; i++) column[i] -= product * earlier[i];
    }
    const length = Math.sqrt(column.reduce((sum, v) => sum + v * v, 0));
    for (let i = 0; i < d; i++) column[i] /= length;
  }
  return Array.from({ length: d }, (_, i) => Float64Array.from(columns, (column) => column[i]));
}

/**
 * Returns the position of the minimum: in [−4, 4)^d with four digits, never 0.
 *
 * @param {number} d
 * @param {number} seed
 */
export function optimum(d, seed) {
  return uniform(d, seed).map((u) => (8 * Math.floor(1e4 * u)) / 1e4 - 4 || -1e-5);
}

/**
 * Returns the minimum's value: Cauchy with two digits, within ±1000.
 *
 * @param {number} seed
 */
export function optimalValue(seed) {
  const ratio = normal(1, seed)[0] / normal(1, seed + 1)[0];
  return Math.min(1000, Math.max(-1000, Math.floor(1e4 * ratio + 0.5) / 100));
}

/**
 * Returns the indices 0 … n − 1 in the order of the sorted numbers.
 *
 * @param {Float64Array} numbers
 */
export function order(numbers) {
  return Array.from(numbers.keys()).sort((i, j) => numbers[i] - numbers[j]);
}
