/**
 * Plain twin of kernels/bayes/gibbs-discrete.ts with the same bits, and the exact transition probabilities of its two
 * moves over a finite support.
 *
 * Both use the same intervals, so that properties of the probabilities also hold for the draws.
 */
import { exp } from "../../src/engine/numbers/exp.ts";
import type { Draws, Stream } from "../../src/engine/random/stream.ts";

export interface Site {
  low: number;
  high: number;
  /** Number of enumerated values, or 0 for a slice. */
  support: number;
}

export type Mutant = "unnormalised" | "no step out" | "shrinks one side";

export class GibbsDiscreteTwin {
  readonly widths: number[];
  readonly moves: number[];
  private readonly density: (x: Float64Array) => number;
  private readonly sites: readonly Site[];
  private readonly mutant: Mutant | undefined;

  constructor(density: (x: Float64Array) => number, sites: readonly Site[], width: number, mutant?: Mutant) {
    this.density = density;
    this.sites = sites;
    this.mutant = mutant;
    this.widths = sites.map(() => width);
    this.moves = sites.map(() => 0);
  }

  /** Site i is coordinate i. */
  sweep(x: Float64Array, stream: Stream, sweep: number, adapt: boolean): number {
    const draws = stream.at(sweep);
    let density = this.density(x);
    this.sites.forEach((site, i) => {
      const from = x[i];
      const at = (value: number): number => {
        x[i] = value;
        const found = this.density(x);
        return Number.isFinite(found) ? found : -Infinity;
      };
      density = site.support ? this.enumerated(at, site, from, density, draws) : this.sliced(at, site, i, from, density, draws);
      x[i] = this.chosen;
      if (site.support || !adapt) return;
      this.moves[i] += (Math.abs(x[i] - from) - this.moves[i]) / (sweep + 1);
      this.widths[i] = Math.min(1 + Math.ceil(2 * this.moves[i]), 2 ** 30);
    });
    return density;
  }

  private chosen = 0;

  private enumerated(at: (k: number) => number, site: Site, from: number, present: number, draws: Draws): number {
    const values = Array.from({ length: site.support }, (_, k) => (site.low + k === from ? present : at(site.low + k)));
    const largest = Math.max(...values);
    const weights = values.map((value) => exp(value - largest));
    let left = draws.uniform() * (this.mutant === "unnormalised" ? 1 : weights.reduce((a, b) => a + b, 0));
    let chosen = from - site.low;
    for (const [k, weight] of weights.entries()) {
      if (!(weight > 0)) continue;
      chosen = k;
      if (left < weight) break;
      left -= weight;
    }
    this.chosen = site.low + chosen;
    return values[chosen];
  }

  private sliced(at: (k: number) => number, site: Site, i: number, from: number, present: number, draws: Draws): number {
    const level = present - draws.exponential();
    const width = this.widths[i];
    const offset = draws.integer(width);
    let [left, right] = stepOut((k) => at(k) > level, site, width, from - offset, this.mutant);
    for (;;) {
      const k = Math.min(left + Math.floor(draws.uniform() * (right - left)), right - 1);
      const density = k === from ? present : at(k);
      if (k === from || density > level) {
        this.chosen = k;
        return density;
      }
      if (k < from) left = k + 1;
      else if (this.mutant !== "shrinks one side") right = k;
    }
  }
}

/** The interval [left, right) of a slice, from the cell that starts at `cell`. */
function stepOut(isInside: (k: number) => boolean, { low, high }: Site, width: number, cell: number, mutant?: Mutant) {
  let left = cell;
  let right = cell + width;
  if (mutant !== "no step out") {
    while (left > low && isInside(left)) left -= width;
    while (right <= high && isInside(right)) right += width;
  }
  return [Math.max(left, low), Math.min(right, high + 1)];
}

/** P(k → ·) of an enumerated site, which is its conditional. */
export function enumeratedRow(logWeights: readonly number[]): number[] {
  const largest = Math.max(...logWeights);
  const weights = logWeights.map((value) => exp(value - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

/**
 * P(from → ·) of a slice over values 0 … n − 1 with the given weights. The slice is the same for all levels between two
 * neighbouring weights. "halves": a refused value removes its whole side of the interval's middle, whatever the present
 * value.
 */
export function slicedRow(weights: readonly number[], from: number, width: number, mutant?: "no step out" | "halves"): number[] {
  const row = weights.map(() => 0);
  const site = { low: 0, high: weights.length - 1, support: 0 };
  const levels = [0, ...new Set(weights.filter((w) => w < weights[from])), weights[from]].sort((a, b) => a - b);
  for (let l = 0; l + 1 < levels.length; l++) {
    const share = (levels[l + 1] - levels[l]) / weights[from] / width;
    const isInside = (k: number): boolean => weights[k] > levels[l];
    if (share === 0) continue;
    for (let offset = 0; offset < width; offset++) {
      const [left, right] = stepOut(isInside, site, width, from - offset, mutant === "no step out" ? mutant : undefined);
      shrink(row, share, isInside, from, left, right, mutant === "halves");
    }
  }
  return row;
}

/** Adds `share` times the probabilities of the values at which shrinking from [left, right) ends. */
function shrink(
  row: number[],
  share: number,
  isInside: (k: number) => boolean,
  from: number,
  left: number,
  right: number,
  halves: boolean,
): void {
  const each = share / (right - left);
  for (let k = left; k < right; k++) {
    if (k === from || isInside(k)) row[k] += each;
    else if (k < from)
      shrink(row, each, isInside, from, halves ? Math.max(k + 1, Math.ceil((left + from) / 2)) : k + 1, right, halves);
    else shrink(row, each, isInside, from, left, k, halves);
  }
}
