/**
 * Cholesky factors (lower triangular with a positive diagonal) of correlation matrices, with rows of length 1, and of
 * covariance matrices.
 *
 * Correlations: z = tanh u fills the elements below the diagonal, row by row; L_ij = z_ij √rest_ij, L_ii = √rest_ii,
 * rest_ij = 1 − Σ_{k<j} L_ik² = Π_{k<j}(1 − z_ik²); log |J| = Σ_{j<i} [log(1 − z_ij²) + ½ log rest_ij].
 *
 * Covariances: elements below the diagonal are u, diagonal elements e^u, row by row; log |J| = Σ of the diagonal's u.
 *
 * L: [d, d]; u: [d(d − 1)/2] or [d(d + 1)/2]. J is the Jacobian of the free elements. Source: Lewandowski, Kurowicka,
 * Joe 2009, as in Stan's reference manual.
 */

import {
  add,
  constantArray,
  cumsum,
  exp,
  gather,
  identity,
  mul,
  type SymbolicArray,
  softplus,
  sub,
  sum,
  tanh,
  where,
} from "../../engine/compiler/index.ts";
import { checkNumber } from "../../engine/errors/errors.ts";
import { log } from "../../engine/numbers/log.ts";
import { checked, outside, type Transform } from "./transform.ts";

/**
 * Inverse hyperbolic sine with the same bits on every host. The absolute error is at most 1e-16, which is enough for u.
 */
const inverseSinh = (x: number): number => Math.sign(x) * log(Math.abs(x) + Math.sqrt(x * x + 1));

/** Returns 1 below the diagonal, 0 elsewhere. */
const belowDiagonal = (d: number): SymbolicArray =>
  constantArray(
    Array.from({ length: d * d }, (_, at) => Number(at % d < Math.floor(at / d))),
    [d, d],
  );

/**
 * Places u in the lower triangle, row by row, with or without the diagonal. The values of all other elements are
 * arbitrary.
 */
function inTriangle(u: SymbolicArray, d: number, withDiagonal: boolean): SymbolicArray {
  const places = Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    const free = withDiagonal ? j <= i : j < i;
    return free ? (withDiagonal ? (i * (i + 1)) / 2 : (i * (i - 1)) / 2) + j : 0;
  });
  return gather(u, constantArray(places, [d, d]));
}

/** log(1 − tanh² u), without loss of digits if tanh u is near ±1. */
const logSechSquare = (u: SymbolicArray): SymbolicArray => mul(2, sub(sub(Math.LN2, u), softplus(mul(-2, u))));

/**
 * Transform to the factor of a d × d correlation matrix. @throws OptionError unless `dimension` is a whole number >= 2
 */
export function correlationCholesky(dimension: number): Transform {
  checkNumber("correlationCholesky", "dimension", dimension, { low: 2, high: 4096, integer: true });
  const d = dimension;
  return checked({
    name: "correlationCholesky",
    shape: [d, d],
    unconstrainedShape: [(d * (d - 1)) / 2],
    constrain(u) {
      const below = belowDiagonal(d);
      const whole = inTriangle(u, d, false);
      const logs = where(below, logSechSquare(whole), 0);
      const rest = sub(cumsum(logs, { axis: 1 }), logs);
      const directions = where(below, tanh(whole), identity(d));
      return {
        value: mul(directions, exp(mul(0.5, rest))),
        logJacobian: sum(where(below, add(logs, mul(0.5, rest)), 0)),
      };
    },
    unconstrain(value) {
      const u: number[] = [];
      for (let i = 0; i < d; i++) {
        // Sums the squares from the diagonal on. The difference 1 − Σ would lose small squares.
        let after = value[i * d + i] ** 2;
        const row = new Float64Array(i);
        for (let j = i - 1; j >= 0; j--) {
          row[j] = inverseSinh(value[i * d + j] / Math.sqrt(after));
          after += value[i * d + j] ** 2;
        }
        if (!(value[i * d + i] > 0)) throw outside("correlationCholesky", value[i * d + i], "> 0 on the diagonal");
        if (!(Math.abs(after - 1) <= 1e-8)) throw outside("correlationCholesky", after, "1 in the squares of each row");
        u.push(...row);
      }
      return Float64Array.from(u);
    },
  });
}

/**
 * Transform to the factor of a d × d covariance matrix. @throws OptionError unless `dimension` is a whole number >= 1
 */
export function covarianceCholesky(dimension: number): Transform {
  checkNumber("covarianceCholesky", "dimension", dimension, { low: 1, high: 4096, integer: true });
  const d = dimension;
  return checked({
    name: "covarianceCholesky",
    shape: [d, d],
    unconstrainedShape: [(d * (d + 1)) / 2],
    constrain(u) {
      const whole = inTriangle(u, d, true);
      const diagonal = where(identity(d), whole, 0);
      const value = where(identity(d), exp(diagonal), where(belowDiagonal(d), whole, 0));
      return { value, logJacobian: sum(diagonal) };
    },
    unconstrain(value) {
      const u: number[] = [];
      for (let i = 0; i < d; i++) {
        for (let j = 0; j < i; j++) u.push(value[i * d + j]);
        const last = log(value[i * d + i]);
        if (!Number.isFinite(last)) throw outside("covarianceCholesky", value[i * d + i], "> 0 on the diagonal");
        u.push(last);
      }
      return Float64Array.from(u);
    },
  });
}
