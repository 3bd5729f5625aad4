import type { JsonObject, Tensor } from "../../../engine/contract/index.ts";
import { checkKeys, checkNumber } from "../../../engine/errors/errors.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { log } from "../../../engine/numbers/log.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import {
  evenLadder,
  powersNeeded,
  powersOf,
  SwapCounts,
  swapProbability,
} from "../../../engine/statistics/temperature-ladder.ts";
import type { Chain } from "./chain.ts";

/** Options of `tempered`: copies of each chain at powers of p. */
export interface GraphTemperingOptions {
  /**
   * Powers β of p (inverse temperatures), descending from 1, all > 0. Given powers stay fixed. Default: adapted during
   * the warm-up.
   */
  temperatures?: readonly number[];
  /**
   * Number of powers. The values of the powers are still adapted. Default: the number is also adapted, so that about
   * half of all swaps are accepted. 1 to 1024.
   */
  count?: number;
  /** Lowest power, > 0 and at most 1. Default 0.01. */
  lowest?: number;
  /** Sweeps between swaps. Default 1; a whole number >= 1. */
  swapEvery?: number;
}

/** Resolved `tempered` option. */
export interface Tempered {
  /** Initial powers. */
  readonly powers: readonly number[];
  /** `moved`: whether the powers are adapted; `counted`: whether the number of powers is fixed. */
  readonly moved: boolean;
  readonly counted: boolean;
  readonly swapEvery: number;
  readonly json: JsonObject;
}

/** Largest number of powers found for a ladder. */
const MOST_POWERS = 128;
/**
 * Minimum number of swaps that the first pair of a chain must have tried. The pair tries a swap at half of all
 * opportunities. States that were found earlier can count as lost only after this many swaps.
 */
const FEWEST_TRIED = 8;

/** @throws OptionError */
export function temperedOf(where: string, given: boolean | GraphTemperingOptions): Tempered | undefined {
  if (given === false) return undefined;
  const options = given === true ? {} : given;
  checkKeys(`${where}.tempered`, options, ["temperatures", "count", "lowest", "swapEvery"]);
  const { temperatures, swapEvery = 1, ...rest } = options;
  checkNumber(where, "swapEvery", swapEvery, { low: 1, high: 2 ** 31, integer: true });
  const powers = powersOf(where, options, true);
  return {
    powers,
    moved: temperatures === undefined,
    counted: options.count !== undefined,
    swapEvery,
    json: { ...rest, ...(temperatures ? { temperatures: powers } : {}), swapEvery },
  };
}

/**
 * Parallel tempering of chains over a graph. Each chain has copies at powers 1 = β_0 > β_1 > …, which draw from p^β,
 * and neighbours exchange states. Even-numbered swaps try the pairs (0, 1), (2, 3), …, odd-numbered swaps the pairs (1,
 * 2), (3, 4), … (engine/statistics/temperature-ladder.ts). Each rung has its own random numbers. Tempering leaves the
 * product of all p^β invariant. Only the chains at power 1 contribute to the sums.
 *
 * Powers are adapted until all pairs have the same swap rate. The number of powers is 1 + 2Λ, where Λ is the sum of the
 * mean rejection rates. Sources: Geyer 1991; Syed, Bouchard-Côté, Deligiannidis and Doucet 2022 for alternating pairs
 * and for Λ.
 */
export class TemperedChains {
  powers: Float64Array;
  /**
   * Number of round trips of states from power 1 to the lowest power and back, in all chains. The count restarts when
   * the powers are adapted or the counts are reset.
   */
  roundTrips = 0;
  private readonly tempered: Tempered;
  private readonly chains: readonly Chain[];
  private readonly make: (chain: number, rung: number) => Chain;
  private readonly swaps: readonly Stream[];
  /** Copies of each chain below power 1. */
  private readonly below: Chain[][];
  /** Swap counts of all chains since the last adaptation of the powers or the last reset. */
  private counts = new SwapCounts(0);
  /**
   * Walker at each chain and rung (`walkers`). `ends` has a number for each walker: 0 until it first reaches power 1,
   * then 1 if it was last at power 1, and 2 if it has reached the lowest power since then.
   */
  private walkers = new Uint32Array(0);
  private ends = new Uint32Array(0);
  /**
   * `least` is the smallest value of each chain's states at power 1 since the powers were last adapted. `floor` is the
   * largest of these values at the end of the warm-up.
   */
  private least = new Float64Array(0);
  private floor = -Infinity;
  /**
   * Number of swaps since the warm-up (`since`). `most` is the largest value at power 1 since `since` last reached a
   * power of two. `mostBefore` is the largest value between the preceding power of two and that one.
   */
  private since = 0;
  private most = -Infinity;
  private mostBefore = -Infinity;

  constructor(
    tempered: Tempered,
    chains: readonly Chain[],
    make: (chain: number, rung: number) => Chain,
    { seed, name }: { readonly seed: number; readonly name: string },
  ) {
    this.tempered = tempered;
    this.chains = chains;
    this.make = make;
    this.swaps = chains.map((_, c) => stream(seed, name, c, "swap"));
    this.below = chains.map(() => []);
    this.powers = Float64Array.from(tempered.powers);
    this.resize(this.powers);
  }

  /** All chains below power 1. */
  get copies(): Chain[] {
    return this.below.flat();
  }

  /** Returns whether states are exchanged after this many sweeps. */
  isDue(sweeps: number): boolean {
    return sweeps % this.tempered.swapEvery === 0;
  }

  /** Returns the number of sweeps until the next swap. */
  until(sweeps: number): number {
    return this.tempered.swapEvery - (sweeps % this.tempered.swapEvery);
  }

  /** Returns the calls that compute the values of all chains. */
  valueCalls(): Call[] {
    return [...this.chains, ...this.copies].map((chain) => chain.valueCall());
  }

  /**
   * Tries swaps after `sweeps` sweeps, when the values of all chains are known. With `warming`, swaps of the chains at
   * power 1 are counted but not performed, so these chains continue as they would without tempering.
   */
  swap(sweeps: number, warming = false): void {
    const { powers, below, chains, walkers, ends } = this;
    const number = sweeps / this.tempered.swapEvery;
    const since = ++this.since;
    if ((since & (since - 1)) === 0) [this.mostBefore, this.most] = [this.most, -Infinity];
    const rungs = powers.length;
    for (let c = 0; c < chains.length; c++) {
      const ladder = [chains[c], ...below[c]];
      if (warming) this.least[c] = Math.min(this.least[c], chains[c].value);
      else this.most = Math.max(this.most, chains[c].value);
      const draws = this.swaps[c].at(number);
      for (let k = number % 2; k + 1 < rungs; k += 2) {
        const probability = swapProbability(powers[k] - powers[k + 1], ladder[k].value, ladder[k + 1].value);
        if (!this.counts.isMade(k, probability, draws) || (warming && k === 0)) continue;
        ladder[k].trade(ladder[k + 1]);
        const at = c * rungs + k;
        [walkers[at], walkers[at + 1]] = [walkers[at + 1], walkers[at]];
      }
      const [top, bottom] = [c * rungs + walkers[c * rungs], c * rungs + walkers[c * rungs + rungs - 1]];
      if (ends[top] === 2) this.roundTrips++;
      ends[top] = 1;
      if (ends[bottom] === 1 && rungs > 1) ends[bottom] = 2;
    }
  }

  /**
   * Adapts the powers to the swaps seen since the last adaptation, if they are adaptable and all pairs have been tried.
   * The number of powers is at least `fewest`.
   */
  adapt(fewest = 2): void {
    const { moved, counted } = this.tempered;
    const { rejections } = this.counts;
    if (!moved || rejections.length === 0) this.forget();
    if (!moved || rejections.length === 0 || rejections.some(Number.isNaN)) return;
    const count = counted ? this.powers.length : Math.min(MOST_POWERS, Math.max(fewest, powersNeeded(rejections)));
    this.resize(evenLadder([...this.powers], rejections, count));
  }

  /** Resets all swap counts. */
  forget(): void {
    const pairs = this.powers.length - 1;
    const all = this.chains.length * this.powers.length;
    this.counts = new SwapCounts(pairs);
    this.walkers = Uint32Array.from({ length: all }, (_, at) => at % this.powers.length);
    this.ends = new Uint32Array(all);
    this.roundTrips = 0;
    this.least = new Float64Array(this.chains.length).fill(Infinity);
  }

  /** Ends the warm-up. */
  begin(): void {
    // The minimum of few values is not informative.
    const enough = this.counts.tried[0] >= FEWEST_TRIED * this.chains.length;
    this.floor = enough ? Math.max(...this.least) : -Infinity;
    this.since = 0;
    this.mostBefore = this.most = -Infinity;
    this.forget();
  }

  /**
   * Whether the tempered chains have lost states. States are lost if, during the warm-up, all states of some chain at
   * power 1 were more probable than any state in the later half of the swaps. The copies at lower powers have then led
   * away from these states without finding them again.
   */
  get lost(): boolean {
    return this.floor > Math.max(this.most, this.mostBefore);
  }

  /** Phrase that describes the tempering in the `method` of an answer. */
  get words(): string {
    const { powers, counts } = this;
    const rates = Array.from(counts.accepted, (sum, k) => sum / counts.tried[k]);
    const span = (values: readonly number[]): string => `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
    const said = rates.length === 0 || rates.some(Number.isNaN) ? "" : `, ${span(rates)} of swaps made`;
    return `tempered at ${powers.length} powers down to ${Number(powers[powers.length - 1].toPrecision(2))}${said}, ${this.roundTrips} round trips`;
  }

  snapshot(): Record<string, Tensor> {
    const { powers, walkers, ends, roundTrips, floor, since, most, mostBefore } = this;
    const { tried, accepted } = this.counts;
    const tensors: Record<string, Tensor> = {
      powers: powers.slice(),
      ...{ tried: tried.slice(), accepted: accepted.slice(), walkers: walkers.slice(), ends: ends.slice() },
      seen: Float64Array.of(roundTrips, floor, since, most, mostBefore, ...this.least),
    };
    for (const [c, copies] of this.below.entries())
      for (const [k, copy] of copies.entries()) tensors[`${c}.${k + 1}`] = copy.packedStates().slice();
    return tensors;
  }

  restore(kept: KeptPart): void {
    const powers = kept.floats("powers");
    if (powers[0] !== 1 || powers.some((power, k) => !(power > 0) || (k > 0 && power >= powers[k - 1])))
      kept.refuse("powers do not descend from 1");
    this.resize(powers);
    const { walkers, ends } = this;
    const places = kept.indices("walkers", powers.length, walkers.length);
    for (let from = 0; from < places.length; from += powers.length)
      if (new Set(places.subarray(from, from + powers.length)).size < powers.length) kept.refuse("a copy is at two powers");
    walkers.set(places);
    ends.set(kept.indices("ends", 3, ends.length));
    kept.into(this.counts.tried, "tried");
    kept.into(this.counts.accepted, "accepted");
    const seen = kept.floats("seen", 5 + this.chains.length);
    [this.roundTrips, this.floor, this.since, this.most, this.mostBefore] = seen;
    this.least = seen.slice(5);
    for (const [c, copies] of this.below.entries())
      for (const [k, copy] of copies.entries()) copy.restoreStates(kept, `${c}.${k + 1}`);
  }

  dispose(): void {
    for (const copy of this.copies) copy.dispose();
  }

  /** Resizes the copies to these powers. Each copy takes over the states of the old copy with the nearest power. */
  private resize(powers: ArrayLike<number>): void {
    const before = Array.from(this.powers, log);
    this.powers = Float64Array.from(powers);
    for (const [c, copies] of this.below.entries()) {
      const states = [this.chains[c], ...copies].map((one) => one.packedStates().slice());
      while (copies.length > powers.length - 1) copies.pop()!.dispose();
      while (copies.length < powers.length - 1) copies.push(this.make(c, copies.length + 1));
      for (const [k, copy] of copies.entries()) {
        const wanted = log(powers[k + 1]);
        const near = states.reduce(
          (best, _, i) => (Math.abs(before[i] - wanted) < Math.abs(before[best] - wanted) ? i : best),
          0,
        );
        copy.packedStates().set(states[near]);
        copy.recount();
        copy.setPower(powers[k + 1]);
      }
    }
    this.forget();
  }
}
