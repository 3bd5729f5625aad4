/**
 * Gaussian process regression: which smooth curve is behind noisy points, and how sure are we of it between and beyond them?
 *
 *   y ~ N(0, K + σ² I), K_ij = α² exp(−(x_i − x_j)² / 2ρ²);  ρ ~ inverse-Gamma(5, 5), α ~ half-N(2), σ ~ half-N(1)
 *
 * The curve at new places: f* ~ N(K*ᵀ (K + σ² I)⁻¹ y, α² − diag(K*ᵀ (K + σ² I)⁻¹ K*)), K*: [N, M], drawn place by place.
 * Data: simulated, 40 points of the curve sin(2x) + x/2 with noise of 0.3; the last of the new places stands beyond them.
 *
 * Run: ergodic example gaussian-process
 */
import { fileURLToPath } from "node:url";
import {
  type Draws,
  halfNormal,
  inverseGamma,
  model,
  multivariateNormalCholesky,
  normal,
  type SampleOptions,
  sample,
  stream,
  vector,
} from "ergodic";
import {
  add,
  cholesky,
  choleskySolve,
  div,
  exp,
  full,
  identity,
  matmul,
  mul,
  reshape,
  type SymbolicArray,
  sqrt,
  square,
  sub,
  sum,
  transpose,
} from "ergodic/compiler";

const curve = (x: number): number => Math.sin(2 * x) + x / 2;
const NOISE = 0.3;
const places = [-2, -1, 0, 1, 2, 4];
export const truth = {
  sigma: NOISE,
  ...Object.fromEntries(places.slice(0, -1).map((x, i) => [`f[${i + 1}]`, curve(x)])),
};

function simulate(): { x: number[]; y: number[]; places: number[] } {
  const draws = stream(1, "gaussian process").at(0);
  const x = Array.from({ length: 40 }, () => 6 * draws.uniform() - 3);
  return { x, y: x.map((place) => curve(place) + NOISE * draws.normal()), places };
}
export const data = simulate();

const smoothCurve = model(
  ({ data, param, observe, generated }) => {
    const { x, y, places } = data({ x: vector("N"), y: vector("N"), places: vector("M") });
    const rho = param("rho", inverseGamma(5, 5));
    const alpha = param("alpha", halfNormal(2));
    const sigma = param("sigma", halfNormal(1));
    const covariance = (a: SymbolicArray, b: SymbolicArray): SymbolicArray => {
      const apart = sub(reshape(a, [a.size, 1]), reshape(b, [1, b.size]));
      return mul(square(alpha), exp(div(mul(-0.5, square(apart)), square(rho))));
    };
    const factor = cholesky(add(covariance(x, x), mul(square(sigma), identity(x.size))));
    observe(y, multivariateNormalCholesky(full(0, [x.size]), factor));

    const across = covariance(x, places);
    const mean = matmul(transpose(across), choleskySolve(factor, y));
    const explained = sum(mul(across, choleskySolve(factor, across)), { axis: 0 });
    generated("f", normal(mean, sqrt(sub(square(alpha), explained))));
  },
  { name: "gaussian process" },
);
export default smoothCurve;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(smoothCurve, data, { seed: 1, ...options });
  const rows = posterior.summary();
  print(`${posterior}`);
  places.forEach((x, i) => {
    const { mean, sd } = rows[`f[${i + 1}]`];
    print(`f(${x}) = ${mean.toFixed(2)} ± ${sd.toFixed(2)}${x > 3 ? ", beyond the points" : ""}`);
  });
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
