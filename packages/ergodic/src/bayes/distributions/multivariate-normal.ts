import {
  cholesky,
  diagonal,
  log,
  matmul,
  mul,
  reshape,
  type SymbolicArray,
  square,
  sub,
  sum,
  transpose,
  triangularSolve,
} from "../../engine/compiler/index.ts";
import { CompileError } from "../../engine/errors/errors.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { HALF_LOG_TWO_PI, minus } from "./terms.ts";
import type { Distribution } from "./value.ts";

function centred(name: string, x: SymbolicArray, mu: SymbolicArray, matrix: SymbolicArray): SymbolicArray {
  const r = sub(x, mu);
  if (matrix.rank !== 2 || r.shape[r.rank - 1] !== matrix.shape[0])
    throw new CompileError(
      name,
      `values have shape [${r.shape.join(", ")}] and the matrix [${matrix.shape.join(", ")}], but [..., d] and one [d, d] are wanted`,
      "COMPILE_SHAPE",
    );
  return r;
}

function byFactor(name: string, x: SymbolicArray, mu: SymbolicArray, l: SymbolicArray): SymbolicArray {
  const r = centred(name, x, mu, l);
  const [d] = l.shape;
  // A single triangular solve handles all values, which become the columns of its right-hand side.
  const scores = triangularSolve(l, transpose(reshape(r, [-1, d])));
  const squares = reshape(sum(square(scores), { axis: 0 }), r.shape.slice(0, -1));
  return minus(mul(-0.5, squares), sum(log(diagonal(l))), d * HALF_LOG_TWO_PI);
}

/** Returns L of a symmetric, positive definite matrix in plain numbers. */
function factorOf(a: Float64Array, d: number): Float64Array {
  const l = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      let rest = a[i * d + j];
      for (let k = 0; k < j; k++) rest -= l[i * d + k] * l[j * d + k];
      l[i * d + j] = i === j ? Math.sqrt(rest) : rest / l[j * d + j];
    }
  return l;
}

/** Draws μ + L z. */
function drawByFactor(draws: Draws, mu: Float64Array, l: Float64Array): Float64Array {
  const z = mu.map(() => draws.normal());
  return mu.map((centre, i) => {
    for (let j = 0; j <= i; j++) centre += l[i * z.length + j] * z[j];
    return centre;
  });
}

/** Returns Σ_ii from L. */
const variancesOf = (l: Float64Array, d: number): Float64Array =>
  Float64Array.from({ length: d }, (_, i) => l.subarray(i * d, i * d + i + 1).reduce((total, x) => total + x * x, 0));

/** Computes L⁻ᵀ z in place. */
function solveTransposed(l: Float64Array, z: Float64Array): Float64Array {
  const d = z.length;
  for (let i = d - 1; i >= 0; i--) {
    for (let k = i + 1; k < d; k++) z[i] -= l[k * d + i] * z[k];
    z[i] /= l[i * d + i];
  }
  return z;
}

/**
 * Multivariate normal over the last axis: log p(x) = −½ rᵀΣ⁻¹r − ½ log |Σ| − ½ d log 2π, r = x − μ; parametrised by the
 * covariance Σ, its Cholesky factor L (Σ = L Lᵀ), or the precision Q = Σ⁻¹.
 *
 * x, μ (`mu`): [..., d]. Σ, L and Q are [d, d] and shared by all values; Σ and Q are symmetric.
 *
 * mu: [..., d]; covariance: [d, d].
 */
export const multivariateNormal: (mu: Parameter, covariance: Parameter) => Distribution = distribution(
  "multivariateNormal",
  { mu: "vector", covariance: "positiveDefinite" },
  {
    kind: "continuous",
    eventRank: 1,
    support: () => ({ kind: "vector" }),
    logDensity: (x, { mu, covariance }) => byFactor("multivariateNormal", x, mu, cholesky(covariance)),
    sample: (draws, { mu, covariance }) => drawByFactor(draws, mu, factorOf(covariance, mu.length)),
    mean: ({ mu }) => mu,
    variance: ({ mu, covariance }) => mu.map((_, i) => covariance[i * mu.length + i]),
  },
);

/**
 * Multivariate normal by its Cholesky factor. mu: [..., d]; factor: [d, d], lower triangular with a positive diagonal.
 *
 * @param mu mean, [..., d]
 * @param factor Cholesky factor of the covariance, [d, d], lower triangular with a positive diagonal
 */
export const multivariateNormalCholesky: (mu: Parameter, factor: Parameter) => Distribution = distribution(
  "multivariateNormalCholesky",
  { mu: "vector", factor: "choleskyFactor" },
  {
    kind: "continuous",
    eventRank: 1,
    support: () => ({ kind: "vector" }),
    logDensity: (x, { mu, factor }) => byFactor("multivariateNormalCholesky", x, mu, factor),
    sample: (draws, { mu, factor }) => drawByFactor(draws, mu, factor),
    mean: ({ mu }) => mu,
    variance: ({ mu, factor }) => variancesOf(factor, mu.length),
  },
);

/** Multivariate normal by its precision. mu: [..., d]; precision: [d, d], the inverse of the covariance. */
export const multivariateNormalPrecision: (mu: Parameter, precision: Parameter) => Distribution = distribution(
  "multivariateNormalPrecision",
  { mu: "vector", precision: "positiveDefinite" },
  {
    kind: "continuous",
    eventRank: 1,
    support: () => ({ kind: "vector" }),
    logDensity(x, { mu, precision }) {
      const r = centred("multivariateNormalPrecision", x, mu, precision);
      const squares = sum(mul(r, matmul(r, precision)), { axis: -1 });
      return minus(mul(-0.5, squares), mul(-1, sum(log(diagonal(cholesky(precision))))), precision.shape[0] * HALF_LOG_TWO_PI);
    },
    sample(draws, { mu, precision }) {
      const z = solveTransposed(
        factorOf(precision, mu.length),
        mu.map(() => draws.normal()),
      );
      return mu.map((centre, i) => centre + z[i]);
    },
    mean: ({ mu }) => mu,
    variance({ mu, precision }) {
      const l = factorOf(precision, mu.length);
      // Element Σ_ii of Σ = L⁻ᵀL⁻¹ is |L⁻¹e_i|², where e_i is a unit vector.
      return mu.map((_, i) => inverseColumnSquare(l, mu.length, i));
    },
  },
);

function inverseColumnSquare(l: Float64Array, d: number, column: number): number {
  const x = new Float64Array(d);
  let total = 0;
  for (let i = column; i < d; i++) {
    let rest = i === column ? 1 : 0;
    for (let k = column; k < i; k++) rest -= l[i * d + k] * x[k];
    x[i] = rest / l[i * d + i];
    total += x[i] * x[i];
  }
  return total;
}
