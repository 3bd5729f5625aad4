import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { psis } from "../../engine/statistics/index.ts";
import { lowerFactor } from "../samplers/base/metric.ts";

const MOST_K = 0.7;
const LEAST_EFFECTIVE = 10;
export const REFITS = 2;
const FINE = 0.1;
/** Log ratios that differ by less than this, in nats, count as equal. */
const ALIKE = 0.1;
const LOG_TWO_PI = 1.8378770664093453;

/** Normal distribution N(m, LLᵀ). */
export class Normal {
  readonly mean: Float64Array;
  /** L, float64[d, d], zeros above the diagonal. */
  readonly factor: Float64Array;

  constructor(mean: Float64Array, factor: Float64Array) {
    this.mean = mean;
    this.factor = factor;
  }

  /**
   * Fits a normal to rows [n, d] with weights that sum to 1. The covariance is shrunk towards its diagonal, which gets
   * the weight of d draws. Undefined if the covariance is numerically singular.
   */
  static of(rows: Float64Array, weights: Float64Array, d: number): Normal | undefined {
    const n = weights.length;
    const mean = new Float64Array(d);
    let squares = 0;
    for (let k = 0; k < n; k++) {
      squares += weights[k] * weights[k];
      for (let i = 0; i < d; i++) mean[i] += weights[k] * rows[k * d + i];
    }
    const effective = 1 / squares;
    const keep = effective / (effective + d);
    const covariance = new Float64Array(d * d);
    for (let k = 0; k < n; k++)
      for (let i = 0; i < d; i++) {
        const away = weights[k] * (rows[k * d + i] - mean[i]);
        for (let j = 0; j <= i; j++) covariance[i * d + j] += away * (rows[k * d + j] - mean[j]);
      }
    for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) covariance[i * d + j] *= keep;
    for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) covariance[j * d + i] = covariance[i * d + j];
    const factor = lowerFactor(covariance, d);
    return factor?.every(Number.isFinite) && mean.every(Number.isFinite) ? new Normal(mean, factor) : undefined;
  }

  get dimension(): number {
    return this.mean.length;
  }

  /** Maps a standard normal z to x. */
  at(z: Float64Array): Float64Array {
    const d = this.dimension;
    return this.mean.map((value, i) => {
      let sum = value;
      for (let j = 0; j <= i; j++) sum += this.factor[i * d + j] * z[j];
      return sum;
    });
  }

  /** (x − m)ᵀ C⁻¹ (x − m). */
  distance(x: Float64Array): number {
    const d = this.dimension;
    const z = new Float64Array(d);
    let sum = 0;
    for (let i = 0; i < d; i++) {
      let rest = x[i] - this.mean[i];
      for (let j = 0; j < i; j++) rest -= this.factor[i * d + j] * z[j];
      z[i] = rest / this.factor[i * d + i];
      sum += z[i] * z[i];
    }
    return sum;
  }

  /** Whether x is in R. */
  holds(x: Float64Array): boolean {
    return this.distance(x) <= radius(this.dimension);
  }

  /** log det L. */
  get logVolume(): number {
    const d = this.dimension;
    let sum = 0;
    for (let i = 0; i < d; i++) sum += log(this.factor[i * (d + 1)]);
    return sum;
  }

  /** log density at a point with (x − m)ᵀ C⁻¹ (x − m) = `distance`. */
  logDensity(distance: number): number {
    return -0.5 * (distance + this.dimension * LOG_TWO_PI) - this.logVolume;
  }
}

/** Overlap of two concentric round normals with a spread ratio of 20, in one dimension. */
const LEAST_OVERLAP = 0.32;

/**
 * Whether two normals at the same point have similar spreads. If so, they count as the same place.
 *
 * r is the ratio of the two normals' spreads, each averaged geometrically over the coordinates. Concentric round
 * normals have the overlap (Bhattacharyya coefficient) ∫√(p q) = (2r/(1 + r²))^(d/2). If the overlap is below
 * LEAST_OVERLAP, draws from one normal hardly ever visit the other. This overlap corresponds to a spread ratio of 20 in
 * one dimension, or of 2 in ten dimensions.
 */
export function haveLikeSpreads(a: Normal, b: Normal): boolean {
  const d = a.dimension;
  const ratio = exp(Math.abs(a.logVolume - b.logVolume) / d);
  return 0.5 * d * log((2 * ratio) / (1 + ratio * ratio)) >= log(LEAST_OVERLAP);
}

const radius = (d: number): number => d + 2 * Math.sqrt(2 * d);

/**
 * A place of a posterior: a normal distribution N(m, C) that covers it, and the mass of the density there.
 *
 *   R = { x : (x − m)ᵀ C⁻¹ (x − m) <= d + 2√(2d) },   log ∫_R p ≈ log 1/S Σ_s 1[x_s ∈ R] p(x_s)/N(x_s | m, C),  x_s ~ N(m, C)
 *
 * R contains 95 to 98 % of the normal's mass, so ratios are bounded if the normal has roughly the right shape. `error`:
 * standard error of the log, from the ratios. k̂: tail shape of the ratios inside R (Pareto-smoothed importance
 * sampling). A mass counts as known if k̂ <= 0.7 and the effective number of draws is at least LEAST_EFFECTIVE.
 *
 * If the mass is not known or its error exceeds FINE, the normal is fitted again to the weighted draws, at most REFITS
 * times. A refit needs enough draws, because a normal that is too wide also covers other places.
 */
export interface Place {
  readonly normal: Normal;
  /** log ∫_R p, and its standard error. */
  readonly logMass: number;
  readonly error: number;
  readonly paretoK: number;
}

/** Number of draws for measuring a mass. */
export const drawsFor = (d: number): number => 60 + 10 * d;

export const isKnown = ({ paretoK, error }: Place): boolean => paretoK <= MOST_K && error * error * LEAST_EFFECTIVE <= 1;

/**
 * Measures the mass of a place. `logDensity`: log p, −∞ outside its support. `refits`: maximum number of refits of the
 * normal, with drawsFor(d) evaluations each.
 */
export function measured(normal: Normal, logDensity: (x: Float64Array) => number, draws: Draws, refits = REFITS): Place {
  let place = once(normal, logDensity, draws);
  for (let refit = 0; refit < refits && !(isKnown(place.place) && place.place.error <= FINE) && place.better; refit++) {
    const again = once(place.better, logDensity, draws);
    if (!(again.place.error < place.place.error)) break;
    place = again;
  }
  return place.place;
}

function once(
  normal: Normal,
  logDensity: (x: Float64Array) => number,
  draws: Draws,
): { place: Place; better: Normal | undefined } {
  const d = normal.dimension;
  const count = drawsFor(d);
  const rows = new Float64Array(count * d);
  const inside = new Float64Array(count).fill(-Infinity);
  const all = inside.slice();
  for (let s = 0; s < count; s++) {
    const x = normal.at(Float64Array.from({ length: d }, () => draws.normal()));
    rows.set(x, s * d);
    const distance = normal.distance(x);
    const ratio = logDensity(x) - normal.logDensity(distance);
    if (!(ratio < Infinity)) continue;
    all[s] = ratio;
    if (distance <= radius(d)) inside[s] = ratio;
  }
  const highest = Math.max(...inside);
  if (!(highest > -Infinity))
    return { place: { normal, logMass: -Infinity, error: Infinity, paretoK: Infinity }, better: undefined };
  const weights = inside.map((ratio) => exp(ratio - highest));
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / count;
  const variance = weights.reduce((sum, weight) => sum + (weight - mean) ** 2, 0) / (count - 1);
  const place = {
    normal,
    logMass: highest + log(mean),
    error: Math.sqrt(variance / count) / mean,
    paretoK: tailShape(inside),
  };
  const { logWeights, effectiveSize } = psis(all);
  // A normal that is fitted to fewer draws would be too narrow, and all log ratios within it would be similar.
  return { place, better: effectiveSize < d + 4 ? undefined : Normal.of(rows, logWeights.map(exp), d) };
}

/**
 * Returns 0 if all finite log ratios differ by less than ALIKE, because the tail shape of such ratios carries no
 * information about the mean.
 */
function tailShape(logRatios: Float64Array): number {
  const finite = logRatios.filter((ratio) => ratio > -Infinity);
  const [least, most] = finite.reduce(([a, b], ratio) => [Math.min(a, ratio), Math.max(b, ratio)], [Infinity, -Infinity]);
  return most - least < ALIKE ? 0 : psis(finite).paretoK;
}

/** A place of unknown mass and unit spread, for a chain that has not moved or has too few draws. */
export function unknownPlace(x: Float64Array): Place {
  const d = x.length;
  const factor = new Float64Array(d * d);
  for (let i = 0; i < d; i++) factor[i * (d + 1)] = 1;
  return { normal: new Normal(x, factor), logMass: -Infinity, error: Infinity, paretoK: Infinity };
}
