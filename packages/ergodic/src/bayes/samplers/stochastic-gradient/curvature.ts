/**
 * Measures how much the gradient of ℓ changes near a mode, for each coordinate: c_i = √(mean over z of ((∇ℓ(x* + s∘z) −
 * ∇ℓ(x*))_i / s_i)²), with random signs z.
 *
 * x*: float64[d]; s_i = 10⁻⁵ max(1, |x*_i|). In expectation c_i² = Σ_j (H_ij s_j / s_i)², where H is the Hessian at x*:
 * |H_ii| for independent coordinates, larger for dependent ones. Costs PROBES gradients, regardless of d. Source: the
 * squared form of Hutchinson 1989.
 *
 * @throws ErgodicError if a gradient is not finite
 */
import { ErgodicError } from "../../../engine/errors/errors.ts";
import type { Stream } from "../../../engine/random/stream.ts";
import type { Evaluate, Mode } from "./mode.ts";

const PROBES = 8;
const STEP = 1e-5;

/** Returns c for each coordinate. Probe k uses update k of the stream. */
export function curvatureAt(where: string, evaluate: Evaluate, mode: Mode, signs: Stream): Float64Array {
  const steps = mode.x.map((x) => STEP * Math.max(1, Math.abs(x)));
  const squares = new Float64Array(mode.x.length);
  const gradient = new Float64Array(mode.x.length);
  for (let k = 0; k < PROBES; k++) {
    const draws = signs.at(k);
    evaluate(
      mode.x.map((x, i) => (draws.uniform() < 0.5 ? x - steps[i] : x + steps[i])),
      gradient,
    );
    mode.evaluations++;
    for (let i = 0; i < squares.length; i++) squares[i] += ((gradient[i] - mode.gradient[i]) / steps[i]) ** 2 / PROBES;
  }
  if (squares.every(Number.isFinite)) return squares.map(Math.sqrt);
  throw new ErgodicError(
    where,
    "the gradient near the mode is not finite, so step sizes per coordinate cannot be computed; check the model's supports, or give stepSize and omit controlVariate",
    "SAMPLE_MODE",
  );
}
