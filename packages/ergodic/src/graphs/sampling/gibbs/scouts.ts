import type { JsonObject, Tensor } from "../../../engine/contract/index.ts";
import { isWhole, type KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Batches } from "./batches.ts";
import type { Chain } from "./chain.ts";
import { LEAST_BATCHES } from "./chain-sums.ts";
import { emptyRanges, type Ranges, type Regions, widen } from "./regions.ts";

/** Number of batches that the kept chains must finish before their means determine the statistics. */
export const FIRST_BATCHES = 10;
/** Largest number of scouts. */
const MOST_SCOUTS = 32;
/**
 * Powers of p for the first sweeps of a scout. There is one list for scouts that start at random, and one for scouts
 * that first search for a probable state.
 */
const POWERS = [
  [1, 1, 1],
  [0.5, 2, 1],
] as const;
/** Number of sweeps at each power. */
const FIRST_SWEEPS = [3, 3, 2] as const;
/** Number of times that each scout is examined after these sweeps, and number of sweeps between two examinations. */
const [LOOKS, LOOK_SWEEPS] = [3, 2];
const SCOUT_SWEEPS = FIRST_SWEEPS.reduce((sum, sweeps) => sum + sweeps, 0) + (LOOKS - 1) * LOOK_SWEEPS;
/** Sweeps of all scouts, as a share of the smallest number of sweeps that the kept chains run in total. */
const SCOUT_SHARE = 0.065;
/** Sweeps for following strays, as a share of the kept sweeps, and number of examinations per stray in each round. */
const [FOLLOWED_SHARE, FOLLOWED_LOOKS] = [0.1, 8];
/** Two ranges are apart if the gap between them exceeds this share of the kept chains' range. */
const GAP = 0.5;
/** If the ranges are apart for at least this share of the groups, the difference is attributed to all variables. */
const WIDE_SHARE = 0.25;
/** Gaps up to this share of a statistic count as rounding errors. */
const ROUNDING = 1e-9;

/** Operations on chains other than the kept chains. */
export interface ScoutDriver {
  /** Number of scouts that are drawn together. */
  readonly together: number;
  /** Returns a chain with a scout's random numbers. */
  chain(scout: number): Chain;
  /** Sets a scout to its first state. Returns false if no such state was found. */
  begin(chain: Chain, scout: number): Generator<void, boolean>;
  /** Runs `sweeps` sweeps of the chains, beginning with index `sweep`. */
  draw(chains: readonly Chain[], sweep: number, sweeps: number): AsyncGenerator<void>;
  /** Computes the values of the chains' states. */
  value(chains: readonly Chain[]): Promise<void>;
}

/** A scout with states that are apart from the states of the kept chains. */
interface Stray {
  readonly scout: number;
  readonly states: Uint32Array;
  readonly ranges: Ranges;
}

/**
 * Scouts are short chains from other starts. Every second scout first searches for a probable state. Together, the
 * scouts run at most 6.5 % of the smallest total number of sweeps of the kept chains. A scout is a stray if a statistic
 * of its states (regions.ts) lies apart from the range that all kept chains have covered. There might then be a mode
 * that the kept chains miss or rarely visit. Strays are followed while the kept chains run, in case they are only slow.
 * Following strays costs at most 10 % of the sweeps.
 */
export class Scouts {
  readonly regions: Regions;
  /** Number of scouts created. */
  count = 0;
  /** Number of batches of the kept chains when their states were last recorded. */
  private seen = 0;
  /** Ranges of each kept chain. */
  private readonly kept: readonly Ranges[];
  private strays: readonly Stray[] = [];
  /**
   * Number of sweeps of each stray so far (`sweeps`), and total number of sweeps spent on following strays
   * (`followed`).
   */
  private sweeps = SCOUT_SWEEPS;
  private followed = 0;
  /** Chains of the scouts that are running. */
  private readonly running: Chain[] = [];

  constructor(regions: Regions, chains: number) {
    this.regions = regions;
    this.kept = Array.from({ length: chains }, () => emptyRanges(regions.count));
  }

  /** Returns the number of scouts to create, given the smallest total number of sweeps of the kept chains. */
  static wanted(sweeps: number, most = MOST_SCOUTS): number {
    return Math.max(4, Math.min(most, Math.floor((SCOUT_SHARE * sweeps) / SCOUT_SWEEPS)));
  }

  /** Records the statistics of the kept chains at the end of every second batch. */
  async see(chains: readonly Chain[], { done }: Batches, driver: ScoutDriver): Promise<void> {
    if (this.seen >= done || done % 2 === 1) return;
    await this.widen(this.kept, chains, driver);
    this.seen = done;
  }

  /** Creates this many scouts, once the kept chains have finished enough batches. */
  async *make(count: number, driver: ScoutDriver): AsyncGenerator<void> {
    if (this.count > 0 || this.seen < LEAST_BATCHES) return;
    const made: Stray[] = [];
    for (let first = 0; first < count; first += driver.together) {
      const scouts = Array.from({ length: Math.min(driver.together, count - first) }, (_, i) => first + i);
      const chains = this.open(scouts, driver);
      try {
        for (const [i, chain] of chains.entries()) if (!(yield* driver.begin(chain, scouts[i]))) return;
        let sweep = 0;
        for (const [phase, sweeps] of FIRST_SWEEPS.entries()) {
          for (const [i, chain] of chains.entries()) chain.setPower(POWERS[scouts[i] % 2][phase]);
          yield* driver.draw(chains, sweep, sweeps);
          sweep += sweeps;
        }
        const ranges = chains.map(() => emptyRanges(this.regions.count));
        await this.widen(ranges, chains, driver);
        yield* this.watch(ranges, chains, { from: sweep, looks: LOOKS - 1, every: LOOK_SWEEPS }, driver);
        for (const [i, scout] of scouts.entries())
          made.push({ scout, states: chains[i].packedStates().slice(), ranges: ranges[i] });
      } finally {
        this.dispose();
      }
      // Only strays are stored, because the states of many scouts would take too much memory on a large graph.
      made.splice(0, made.length, ...this.straysAmong(made));
    }
    this.strays = made;
    this.count = count;
  }

  /**
   * Continues strays, which might still reach the states of the kept chains. `keptSweeps` is the total number of sweeps
   * of the kept chains. Each round doubles the number of sweeps per stray, because most scouts become strays by chance.
   */
  async *follow(keptSweeps: number, driver: ScoutDriver): AsyncGenerator<void> {
    for (;;) {
      const strays = this.straysAmong(this.strays);
      const left = FOLLOWED_SHARE * keptSweeps - this.followed;
      const each = Math.min(this.sweeps, Math.floor(left / Math.max(1, strays.length)));
      if (strays.length === 0 || each < 1) return;
      yield* this.continue(strays, each, driver);
    }
  }

  /**
   * 1 for each position where a stray's states are apart from the states of the kept chains. Undefined if there is no
   * such position. Modes of a few variables differ in their groups and also in the statistics of all variables. A
   * difference is attributed to all variables only if it shows in those overall statistics alone, or in many groups.
   */
  get apart(): Uint8Array | undefined {
    const { groups, count } = this.regions;
    const own = this.common();
    const found = new Uint8Array(count - 2);
    for (const { ranges } of this.strays) {
      const differs = (k: number): boolean => isApart(own, ranges, k);
      const which = Array.from(found.keys()).filter(differs);
      const isWide = which.length === 0 || which.length >= WIDE_SHARE * found.length;
      if (isWide && (differs(count - 2) || differs(count - 1))) found.fill(1);
      for (const group of which) found[group] = 1;
    }
    return found.includes(1) ? Uint8Array.from(groups, (group) => found[group]) : undefined;
  }

  snapshot(): { tensors: Record<string, Tensor>; state: JsonObject } {
    const { regions, kept, strays, count, seen, sweeps, followed } = this;
    const tensors: Record<string, Tensor> = { logs: regions.logs };
    for (const [c, ranges] of kept.entries()) putRanges(tensors, `${c}`, ranges);
    for (const { scout, states, ranges } of strays) {
      tensors[`stray.${scout}.states`] = states;
      putRanges(tensors, `stray.${scout}`, ranges);
    }
    return { tensors, state: { count, seen, sweeps, followed, strays: strays.map(({ scout }) => scout) } };
  }

  /** Restores a snapshot. `words` is the length of packed states. */
  restore(kept: KeptPart, words: number): void {
    const ranges = (name: string): Ranges => ({
      low: kept.floats(`${name}.low`, this.regions.count).slice(),
      high: kept.floats(`${name}.high`, this.regions.count).slice(),
    });
    this.count = kept.count("count");
    this.seen = kept.count("seen");
    this.sweeps = kept.count("sweeps");
    this.followed = kept.count("followed");
    for (const [c, own] of this.kept.entries()) {
      const { low, high } = ranges(`${c}`);
      own.low.set(low);
      own.high.set(high);
    }
    this.strays = kept.list("strays", isWhole).map((scout) => ({
      scout,
      states: kept.tensor(`stray.${scout}.states`, Uint32Array, words),
      ranges: ranges(`stray.${scout}`),
    }));
  }

  /** Runs about this many sweeps of each stray. */
  private async *continue(strays: readonly Stray[], sweeps: number, driver: ScoutDriver): AsyncGenerator<void> {
    const every = Math.ceil(sweeps / FOLLOWED_LOOKS);
    const looks = Math.floor(sweeps / every);
    const after: Stray[] = [];
    for (let first = 0; first < strays.length; first += driver.together) {
      const some = strays.slice(first, first + driver.together);
      const chains = this.open(
        some.map(({ scout }) => scout),
        driver,
      );
      try {
        for (const [i, chain] of chains.entries()) {
          chain.packedStates().set(some[i].states);
          chain.recount();
        }
        const ranges = some.map(({ ranges: { low, high } }) => ({ low: low.slice(), high: high.slice() }));
        yield* this.watch(ranges, chains, { from: this.sweeps, looks, every }, driver);
        for (const [i, { scout }] of some.entries())
          after.push({ scout, states: chains[i].packedStates().slice(), ranges: ranges[i] });
      } finally {
        this.dispose();
      }
    }
    this.sweeps += looks * every;
    this.followed += looks * every * strays.length;
    this.strays = after;
  }

  /** Frees the chains of running scouts, even after an interruption. */
  dispose(): void {
    for (const chain of this.running.splice(0)) chain.dispose();
  }

  private open(scouts: readonly number[], driver: ScoutDriver): readonly Chain[] {
    for (const scout of scouts) this.running.push(driver.chain(scout));
    return this.running.slice();
  }

  /** Sweeps chains and examines them after every few sweeps. */
  private async *watch(
    ranges: readonly Ranges[],
    chains: readonly Chain[],
    { from, looks, every }: { readonly from: number; readonly looks: number; readonly every: number },
    driver: ScoutDriver,
  ): AsyncGenerator<void> {
    for (let look = 0; look < looks; look++) {
      yield* driver.draw(chains, from + look * every, every);
      await this.widen(ranges, chains, driver);
    }
  }

  private async widen(ranges: readonly Ranges[], chains: readonly Chain[], driver: ScoutDriver): Promise<void> {
    await driver.value(chains);
    for (const [i, chain] of chains.entries()) widen(ranges[i], this.regions.of(chain));
  }

  private straysAmong(scouts: readonly Stray[]): Stray[] {
    const own = this.common();
    return scouts.filter(({ ranges }) => ranges.low.some((_, k) => isApart(own, ranges, k)));
  }

  /**
   * Returns the range of each statistic that every kept chain has covered. If the chains' ranges are disjoint, returns
   * the range between them. If only one chain visits a state, the visit is a matter of chance, so the state does not
   * count as covered.
   */
  private common(): Ranges {
    const common = emptyRanges(this.regions.count);
    for (let k = 0; k < common.low.length; k++) {
      const ends = [Math.max(...this.kept.map(({ low }) => low[k])), Math.min(...this.kept.map(({ high }) => high[k]))];
      common.low[k] = Math.min(...ends);
      common.high[k] = Math.max(...ends);
    }
    return common;
  }
}

function putRanges(tensors: Record<string, Tensor>, name: string, { low, high }: Ranges): void {
  tensors[`${name}.low`] = low.slice();
  tensors[`${name}.high`] = high.slice();
}

/** Returns whether the gap between the kept chains' range of statistic k and another range is large. */
function isApart({ low, high }: Ranges, other: Ranges, k: number): boolean {
  const gap = Math.max(low[k] - other.high[k], other.low[k] - high[k]);
  return gap > GAP * (high[k] - low[k]) + ROUNDING * (1 + Math.abs(low[k]));
}
