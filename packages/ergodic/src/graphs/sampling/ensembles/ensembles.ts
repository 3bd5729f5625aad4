import type { Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import {
  evenLadder,
  geometricLadder,
  powersNeeded,
  SwapCounts,
  swapProbability,
} from "../../../engine/statistics/temperature-ladder.ts";
import type { Copies } from "./copies.ts";
import { EnsembleSums, type SumsShape } from "./ensemble-sums.ts";

/** Smallest and largest number of powers. */
const [FEWEST_POWERS, MOST_POWERS] = [3, 1024];

/**
 * Independent ensembles of parallel tempering. Each ensemble has copies of a graph's states at powers 1 = β_0 > β_1 > …
 * > β_R = 0. The copy at β draws from Π_f φ_f^β. All ensembles share the powers. After each sweep, neighbouring copies
 * exchange states, alternating between the pairs (0, 1), (2, 3), … and (1, 2), (3, 4), …. At power 0, every sweep draws
 * from the uniform distribution. A state that travels from there to power 1 is therefore independent of its past.
 *
 * Sources: Geyer 1991; Syed, Bouchard-Côté, Deligiannidis and Doucet 2022 for alternating pairs, and for powers with
 * equal swap rates.
 */
export class Ensembles {
  powers: Float64Array;
  /** Guesses of ln Z_k/Z_{k+1} for each pair of powers (`ratios`), and of the mean value at each power (`centres`). */
  ratios = new Float64Array(0);
  centres = new Float64Array(0);
  private readonly copies: Copies;
  private readonly swaps: readonly Stream[];
  /**
   * Index of the walker at each ensemble and power (`walkers`). For each walker, 1 if it has been at power 0 since its
   * last visit to power 1, else 0 (`free`).
   */
  private walkers = new Uint32Array(0);
  private free = new Uint32Array(0);
  /** Swap counts of all ensembles since the powers were last adapted. */
  private counts = new SwapCounts(0);
  /** Current sums, and earlier sums that still contribute to the result. */
  private current: EnsembleSums;
  private before: EnsembleSums | undefined;

  constructor(copies: Copies, seed: number) {
    this.copies = copies;
    this.swaps = Array.from({ length: copies.ensembles }, (_, e) => stream(seed, "graph tempering, swap", e));
    // Swaps become rare if neighbouring powers differ by more than about 1/√(number of variables).
    const count = Math.ceil(Math.sqrt(copies.drawn)) + 1;
    this.powers = Float64Array.from(geometricLadder(this.limited(count), 0));
    this.resize(this.powers);
    this.current = new EnsembleSums(this.shape);
  }

  private limited(count: number): number {
    return Math.max(FEWEST_POWERS, Math.min(count, MOST_POWERS, this.copies.mostPowers));
  }

  private get shape(): SumsShape {
    const { ensembles, groups, slots } = this.copies;
    return { ensembles, groups, slots, powers: this.powers.length };
  }

  /**
   * Lets neighbours exchange states after the sweep with index `sweep`. If `keep` is true, the values are first added
   * to the sums.
   */
  swap(sweep: number, keep: boolean): void {
    const { powers, copies, walkers, free } = this;
    const count = powers.length;
    const { values } = copies;
    if (keep) this.count(values);
    const trades: number[][] = Array.from({ length: count }, () => []);
    for (let e = 0; e < copies.ensembles; e++) {
      const draws = this.swaps[e].at(sweep);
      const first = e * count;
      for (let k = sweep % 2; k + 1 < count; k += 2) {
        const at = first + k;
        const probability = swapProbability(powers[k] - powers[k + 1], values[at], values[at + 1]);
        if (!this.counts.isMade(k, probability, draws)) continue;
        trades[k].push(e);
        [walkers[at], walkers[at + 1]] = [walkers[at + 1], walkers[at]];
      }
      const [top, bottom] = [first + walkers[first], first + walkers[first + count - 1]];
      if (free[top] === 1 && keep) this.current.restarts[e]++;
      free[top] = 0;
      free[bottom] = 1;
    }
    for (const [k, some] of trades.entries()) if (some.length > 0) copies.trade(k, some);
  }

  private count(values: Float64Array): void {
    const { powers, current, centres, ratios } = this;
    const count = powers.length;
    current.sweeps++;
    for (let e = 0; e < this.copies.ensembles; e++)
      for (let k = 0; k < count; k++) {
        const value = values[e * count + k];
        current.value(e, k, value - centres[k]);
        if (k > 0) current.up(e, k - 1, (powers[k - 1] - powers[k]) * value - ratios[k - 1]);
        if (k + 1 < count) current.down(e, k, (powers[k] - powers[k + 1]) * value - ratios[k]);
      }
  }

  /** Moves the powers so that swap rates become equal, based on the swaps since the last adaptation. */
  adapt(): void {
    const { rejections } = this.counts;
    if (rejections.some(Number.isNaN)) return;
    this.resize(evenLadder([...this.powers], rejections, this.limited(powersNeeded(rejections))));
  }

  /** Discards all sums and makes new guesses from the current values. */
  guess(): void {
    const { powers, copies } = this;
    const { values, ensembles } = copies;
    this.centres = new Float64Array(powers.length);
    for (const [at, value] of values.entries()) this.centres[at % powers.length] += value / ensembles;
    // Integral of the mean value between two powers, by the trapezoidal rule.
    const middle = (k: number): number => ((powers[k] - powers[k + 1]) * (this.centres[k] + this.centres[k + 1])) / 2;
    this.ratios = Float64Array.from({ length: powers.length - 1 }, (_, k) => middle(k));
    this.forget();
    this.before = undefined;
  }

  private forget(): void {
    this.current = new EnsembleSums(this.shape);
    this.copies.clearShares();
  }

  /** Turns the current sums into the earlier sums, and starts new current sums. */
  turn(): void {
    this.before = this.gathered();
    this.forget();
  }

  /** Whether there are earlier sums. */
  get warm(): boolean {
    return this.before !== undefined;
  }

  /** Returns the total of the earlier and the current sums. */
  sums(): EnsembleSums {
    const now = this.gathered();
    return this.before ? this.before.plus(now) : now;
  }

  /** Returns the current sums. These sums include the sums of probabilities that the copies store. */
  private gathered(): EnsembleSums {
    const sums = this.current.plus(new EnsembleSums(this.shape));
    this.copies.addShares(sums.shares);
    return sums;
  }

  snapshot(): Record<string, Tensor> {
    const { powers, ratios, centres, walkers, free, current, before } = this;
    const { tried, accepted } = this.counts;
    return {
      ...{ powers: powers.slice(), ratios: ratios.slice(), centres: centres.slice(), tried: tried.slice() },
      ...{ accepted: accepted.slice(), walkers: walkers.slice(), free: free.slice(), current: current.values() },
      ...(before ? { before: before.values() } : {}),
    };
  }

  /** Restores everything except the states of the copies. */
  restore(kept: KeptPart): void {
    const powers = kept.floats("powers");
    const falls = powers.every((power, k) => (k === 0 ? power === 1 : power < powers[k - 1]));
    if (powers.length < FEWEST_POWERS || !falls || powers[powers.length - 1] !== 0)
      kept.refuse("powers do not descend from 1 to 0");
    this.resize(powers);
    const count = powers.length;
    this.ratios = kept.floats("ratios").slice();
    this.centres = kept.floats("centres").slice();
    if (this.centres.length > 0 && (this.ratios.length !== count - 1 || this.centres.length !== count))
      kept.refuse(`there are ${this.centres.length} guesses of ${count} mean values`);
    kept.into(this.counts.tried, "tried");
    kept.into(this.counts.accepted, "accepted");
    const walkers = kept.indices("walkers", count, this.walkers.length);
    for (let at = 0; at < walkers.length; at += count)
      if (new Set(walkers.subarray(at, at + count)).size < count) kept.refuse("a copy is at two powers");
    this.walkers.set(walkers);
    this.free.set(kept.indices("free", 2, this.free.length));
    this.current = EnsembleSums.from(this.shape, kept.floats("current"), kept);
    this.before = kept.has("before") ? EnsembleSums.from(this.shape, kept.floats("before"), kept) : undefined;
  }

  /** Resizes the copies to these powers. Each copy takes over the states of the old copy with the nearest power. */
  private resize(powers: ArrayLike<number>): void {
    const before = this.powers;
    this.powers = Float64Array.from(powers);
    const count = powers.length;
    this.copies.resize(
      this.powers,
      Uint32Array.from(this.powers, (power) => nearest(before, power)),
    );
    const all = this.copies.ensembles * count;
    this.counts = new SwapCounts(count - 1);
    [this.walkers, this.free] = [Uint32Array.from({ length: all }, (_, at) => at % count), new Uint32Array(all)];
  }
}

function nearest(powers: Float64Array, wanted: number): number {
  let best = 0;
  for (let k = 1; k < powers.length; k++) if (Math.abs(powers[k] - wanted) < Math.abs(powers[best] - wanted)) best = k;
  return best;
}
