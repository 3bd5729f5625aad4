import { OptionError } from "../../../engine/errors/errors.ts";
import type { Stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import { thermostatFriction } from "./linear-bias.ts";
import type { StochasticRule } from "./stochastic-chain.ts";

const BIAS = 0.05;
const PROBES = 100;
const ROUNDS = 20;
/** Largest allowed √(h/d), which is the amplitude of the fluctuations in a thermostat's friction. */
const WAVER = 0.1;
/** Range of the search for a step size: the first step size, in units of 1 / (λ + V), and the largest step size. */
const [SMALL, MOST] = [1e-9, 1e200];

/** Function that writes an estimate of ∇ℓ(x) from the batch that starts at `row`. Undefined if there are no batches. */
export type EstimateAt = ((x: Float64Array, row: number, gradient: Float64Array) => void) | undefined;

/** Estimates V for each coordinate. Probe k uses update k of the stream. */
export function noiseAround(
  mode: Float64Array,
  curvature: Float64Array,
  draw: { estimate: EstimateAt; rowCount: number; stream: Stream },
): Float64Array {
  const noise = new Float64Array(mode.length);
  if (!draw.estimate) return noise;
  const [first, second] = [new Float64Array(mode.length), new Float64Array(mode.length)];
  for (let k = 0; k < PROBES; k++) {
    const draws = draw.stream.at(k);
    const rows = [draws.integer(draw.rowCount), draws.integer(draw.rowCount)];
    const x = mode.map((value, i) => value + draws.normal() / Math.sqrt(Math.max(curvature[i], Number.MIN_VALUE)));
    draw.estimate(x, rows[0], first);
    draw.estimate(x, rows[1], second);
    for (let i = 0; i < noise.length; i++) noise[i] += (first[i] - second[i]) ** 2 / 2 / PROBES;
  }
  return noise;
}

/** Number of batch gradients that `noiseAround` computes. */
export const NOISE_ESTIMATES = 2 * PROBES;

/**
 * Finds the default step size: the largest h for which the standard deviations of the draws have relative errors of at
 * most BIAS. The errors are predicted from the neighbourhood of the mode.
 *
 * λ_i: curvature of each coordinate at the mode (curvature.ts); V_i: variance of g_i about PROBES points x* + z/√λ, z ~
 * N(0, I). For any h, λ and V give the matrix M of step-bias.ts, one coordinate at a time. The search for h uses
 * bisection. For sgnht, √(h/d) <= WAVER is also required.
 *
 * If coordinates are correlated, h is smaller than necessary. Costs 2 · PROBES batches in addition to the curvature's
 * gradients.
 *
 * `friction`: value to which a thermostat's friction rises, which is also a suitable start.
 *
 * @throws OptionError if the friction alone causes a larger error than BIAS
 */
export function defaultStep(
  where: string,
  rule: StochasticRule,
  curvature: Float64Array,
  noise: Float64Array,
): { step: number; friction: number } {
  const most = 2 * ((1 + BIAS) ** 2 - 1);
  const highest = rule.kind === field.STOCHASTIC_THERMOSTATTED ? WAVER ** 2 * noise.length : Infinity;
  const fits = (h: number): boolean => h <= highest && excessAt(h, rule, curvature, noise) <= most;
  const largest = curvature.reduce((sum, value, i) => Math.max(sum, value + noise[i]), Number.MIN_VALUE);
  // Searches upwards from a small step, because there is no usable estimate at steps where noise overwhelms a
  // thermostat.
  let low = Math.min(SMALL / largest, highest);
  if (!fits(low))
    throw new OptionError(
      where,
      `friction is ${rule.friction}, with which no step size keeps the draws' standard deviations within ${100 * BIAS} %; give a smaller friction, or a stepSize`,
      "OPTION_CONFLICT",
    );
  let high = 2 * low;
  for (; fits(high) && high < MOST; high *= 2) low = high;
  for (let i = 0; i < ROUNDS; i++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return { step: low, friction: frictionAt(low, rule, curvature, noise) };
}

function frictionAt(h: number, rule: StochasticRule, curvature: Float64Array, noise: Float64Array): number {
  const mean = (of: Float64Array): number => of.reduce((sum, value) => sum + (h * value) / of.length, 0);
  return rule.kind === field.STOCHASTIC_THERMOSTATTED
    ? thermostatFriction(rule.friction, mean(noise), mean(curvature))
    : rule.friction;
}

/** Returns max |M_ii| at step h. */
function excessAt(h: number, rule: StochasticRule, curvature: Float64Array, noise: Float64Array): number {
  const friction = frictionAt(h, rule, curvature, noise);
  const surplus = rule.kind === field.STOCHASTIC_THERMOSTATTED ? friction - rule.friction : 0;
  let worst = 0;
  for (let i = 0; i < noise.length; i++) {
    const push = curvature[i] + noise[i];
    if (rule.kind === field.STOCHASTIC_LANGEVIN) worst = Math.max(worst, h * push);
    else if (rule.kind === field.STOCHASTIC_PRECONDITIONED)
      worst = Math.max(worst, (h * push) / (rule.noiseEstimate + Math.sqrt(push)));
    else {
      const stride = (h * curvature[i]) / (2 - friction);
      // A thermostat compensates for steps of constant size, but not for steps that keep growing.
      worst = Math.max(worst, stride, Math.abs((h * noise[i] - 2 * surplus) / friction + stride));
    }
  }
  return worst;
}
