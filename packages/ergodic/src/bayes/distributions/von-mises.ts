import {
  add,
  div,
  less,
  log,
  max,
  min,
  mul,
  type SymbolicArray,
  sin,
  square,
  sub,
  toArray,
  where,
} from "../../engine/compiler/index.ts";
import { cosineSine } from "../../engine/numbers/cosine-sine.ts";
import { exp } from "../../engine/numbers/exp.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { minus } from "./terms.ts";
import type { Distribution } from "./value.ts";

const LOG_TWO_PI = 1.8378770664093456;
const FAR = 20;
const SERIES_TERMS = 40;
const HANKEL_TERMS = 20;
const UNIFORM = 0.35;

/** log I₀(κ) − κ. */
function logScaledBessel(kappa: SymbolicArray): SymbolicArray {
  const near = min(kappa, FAR);
  const quarter = mul(0.25, square(near));
  let series: SymbolicArray = toArray(1);
  for (let k = SERIES_TERMS; k >= 1; k--) series = add(1, mul(mul(1 / (k * k), quarter), series));
  const far = max(kappa, FAR);
  const eighth = div(0.125, far);
  let hankel: SymbolicArray = toArray(1);
  for (let k = HANKEL_TERMS; k >= 1; k--) hankel = add(1, mul(mul((2 * k - 1) ** 2 / k, eighth), hankel));
  const beyond = sub(log(hankel), mul(0.5, add(LOG_TWO_PI, log(far))));
  return where(less(kappa, FAR), sub(log(series), near), beyond);
}

const angle = new Float64Array(2);
const cosine = (x: number): number => {
  cosineSine(x, 1, angle, 0);
  return angle[0];
};

/** Draws an angle about 0. The acceptance rate is at least 0.64. */
function drawAngle(draws: Draws, kappa: number): number {
  const scale = Math.PI / (2 * Math.sqrt(kappa));
  for (;;) {
    const x = kappa < UNIFORM ? Math.PI * (2 * draws.uniform() - 1) : scale * draws.normal();
    if (Math.abs(x) > Math.PI) continue;
    const envelope = kappa < UNIFORM ? 0 : (2 * x * x) / (Math.PI * Math.PI);
    if (draws.uniform() < exp(kappa * (cosine(x) - 1 + envelope))) return x;
  }
}

function wrapped(x: number): number {
  const turned = x - 2 * Math.PI * Math.round(x / (2 * Math.PI));
  return Math.max(-Math.PI, Math.min(Math.PI, turned));
}

/**
 * Von Mises, the analogue of the normal for angles: log p(x) = κ cos(x − μ) − log 2π − log I₀(κ), in radians.
 *
 * μ (`mu`): the mean direction, real. κ (`kappa`) ≥ 0: concentration; 0 is uniform on the circle, and a large κ is
 * nearly a normal with variance 1/κ. x: any angle, because the density is periodic. If x is a model parameter or a
 * draw, −π ≤ x ≤ π. As a parameter, x moves on a circle, so that a chain can pass from π to −π.
 *
 * I₀: for κ < 20 by its power series, otherwise by Hankel's expansion (relative error below 1e-13). Draws use rejection
 * from a normal with variance π²/4κ. This normal bounds the density because cos x − 1 ≤ −2x²/π². For κ < 0.35, draws
 * use rejection from the uniform distribution.
 *
 * mu real, kappa >= 0.
 */
export const vonMises: (mu: Parameter, kappa: Parameter) => Distribution = distribution(
  "vonMises",
  { mu: "real", kappa: "nonnegative" },
  {
    kind: "continuous",
    support: () => ({ kind: "circle" }),
    // cos a − 1 is computed as −2 sin²(a/2), which is exact where the density is high.
    logDensity: (x, { mu, kappa }) =>
      minus(mul(mul(-2, kappa), square(sin(mul(0.5, sub(x, mu))))), logScaledBessel(kappa), LOG_TWO_PI),
    sample: (draws, { mu, kappa }) => wrapped(mu + drawAngle(draws, kappa)),
  },
);
