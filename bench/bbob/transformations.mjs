/**
 * The transformations from which the BBOB functions are built. Each maps a vector z of d numbers to another; t_i = i /
 * (d − 1) runs from 0 to 1. Source: Hansen, Finck, Ros, Auger 2009 (INRIA RR-6829), section 0.2.
 */

/** @typedef {Float64Array} Vector */

/**
 * i / (d − 1).
 *
 * @param {number} i
 * @param {number} d
 */
export const place = (i, d) => (d > 1 ? i / (d - 1) : 0);

/**
 * Sums `term(i)` over i < d.
 *
 * @param {number} d
 * @param {(i: number) => number} term
 */
export function sum(d, term) {
  let total = 0;
  for (let i = 0; i < d; i++) total += term(i);
  return total;
}

/**
 * @param {readonly Vector[]} rows
 * @returns {(z: Vector) => Vector}
 */
export const times = (rows) => (z) => Float64Array.from(rows, (row) => sum(z.length, (j) => row[j] * z[j]));

/**
 * Λ^α: z_i α^(t_i / 2).
 *
 * @param {number} alpha
 * @returns {(z: Vector) => Vector}
 */
export const scaled = (alpha) => (z) => z.map((v, i) => v * alpha ** (place(i, z.length) / 2));

/**
 * T_osz of one number: smooth, irregular, fixes 0.
 *
 * @param {number} v
 */
export function oscillated(v) {
  if (v === 0) return 0;
  const logSize = Math.log(Math.abs(v));
  const [first, second] = v > 0 ? [10, 7.9] : [5.5, 3.1];
  return Math.sign(v) * Math.exp(logSize + 0.049 * (Math.sin(first * logSize) + Math.sin(second * logSize)));
}

/** @param {Vector} z */
export const oscillate = (z) => z.map(oscillated);

/**
 * T_asy^β: v^(1 + β t_i √v) where v > 0.
 *
 * @param {number} beta
 * @returns {(z: Vector) => Vector}
 */
export const asymmetric = (beta) => (z) => z.map((v, i) => (v > 0 ? v ** (1 + beta * place(i, z.length) * Math.sqrt(v)) : v));

/**
 * f_pen: Σ max(0, |x_i| − 5)².
 *
 * @param {Vector} x
 */
export const beyond = (x) => sum(x.length, (i) => Math.max(0, Math.abs(x[i]) - 5) ** 2);
