import type { Conditionals, Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import { BOTH_BYTES, BOTH_FIRST, BOTH_SECOND } from "../../fields.ts";
import type { InferencePlan } from "../../parts/algorithm.ts";
import { addRecord } from "../../record.ts";
import { BitLayout } from "../replicas/bit-layout.ts";
import { logOddsOf, refuse } from "../replicas/log-odds.ts";
import { REPLICAS, Replicas } from "../replicas/replicas.ts";
import { type Copies, type Slots, STRETCH } from "./copies.ts";

/** Largest number of distinct term values. */
const MOST_SETS = 32;
/** Number of bit copies of a variable that together cost as much as one copy in a chain. */
const FASTER = 32;
/** Bytes per variable and power, for sums, states and neighbours. */
const VARIABLE_BYTES = 128;
/** Number of sweeps that a tally can hold, and its size per variable: bytes of the tally and bytes of the sums. */
const TALLY_SWEEPS = 255;
const [TALLY_BYTES, SUM_BYTES] = [64, 4 * REPLICAS];
/** Mask of the first half of the replicas, as low and high word. */
const [FIRST_LOW, FIRST_HIGH] = [0xffffffff, 0];

const BOTH_WORDS = BOTH_BYTES / 4;

/** Adds a term for the two words at these offsets. */
function addBoth(terms: number[], a: number, b: number): void {
  const term = addRecord(terms, BOTH_BYTES);
  terms[term + BOTH_FIRST / 4] = a;
  terms[term + BOTH_SECOND / 4] = b;
}

/** Terms that have the same value, stored as `count` BOTH records. */
interface TermSet {
  readonly value: number;
  readonly pointer: number;
  readonly count: number;
}

/** States at one power, and the thresholds for drawing them. */
interface Rung {
  readonly layout: BitLayout;
  readonly replicas: Replicas;
}

/**
 * Copies stored as bits. At each power there are 64 replicas (replicas/), and each bit of a word belongs to one of 64
 * ensembles. Bit copies support the graphs that replicaGibbs supports, if the factors have few distinct strengths. The
 * value of a state is Σ own + Σ coupling over the variables and pairs that are 1. Terms with the same value are counted
 * together.
 */
export class ReplicaCopies implements Copies {
  readonly ensembles = REPLICAS;
  readonly words = " that are bits";
  readonly groups = REPLICAS;
  readonly slots: number;
  values = new Float64Array(0);
  private readonly columns: Conditionals;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly rungs: Rung[] = [];
  private readonly sets: readonly TermSet[];
  private readonly layout: BitLayout;
  private readonly held: { dispose(): void }[] = [];
  private readonly counts: number;
  /**
   * Counts of ones per replica at power 1, by position. `tally` covers recent sweeps, and `sums` covers all earlier
   * sweeps.
   */
  private readonly tally: number;
  private readonly sums: number;
  private tallied = 0;

  /** @throws CapabilityError [GRAPH_REPLICAS] if the graph is not supported */
  constructor(columns: Conditionals, plan: InferencePlan, engine: Engine) {
    this.columns = columns;
    this.plan = plan;
    this.engine = engine;
    const odds = logOddsOf(columns);
    const { unit, own, begins, neighbours, couplings } = odds;
    this.layout = new BitLayout(columns, engine.memory, { odds });
    const { positionOf, positions } = this.layout;
    this.slots = plan.task === "marginals" ? positions : 0;
    const terms = new Map<number, number[]>();
    const add = (value: number, a: number, b: number): void => {
      if (value === 0) return;
      let found = terms.get(value);
      if (!found) terms.set(value, (found = []));
      addBoth(found, 8 * positionOf[a], 8 * positionOf[b]);
    };
    for (let v = 0; v < own.length; v++) {
      if (columns.observed[v] >= 0) continue;
      add(own[v], v, v);
      for (let edge = begins[v]; edge < begins[v + 1]; edge++)
        if (neighbours[edge] > v) add(couplings[edge], v, neighbours[edge]);
    }
    if (terms.size > MOST_SETS) {
      this.layout.dispose();
      refuse(`its factors have ${terms.size} different strengths, but must have at most ${MOST_SETS}`);
    }
    const allocate = (bytes: number): number => {
      const piece = engine.memory.allocate(Math.max(8, bytes), "ladders of replicas");
      this.held.push(piece);
      return piece.pointer;
    };
    this.sets = Array.from(terms, ([value, places]) => {
      // Pads the list with references to the word of zeros that follows all positions.
      while ((places.length / BOTH_WORDS) % 4 > 0) addBoth(places, 8 * positions, 8 * positions);
      const pointer = allocate(4 * places.length);
      engine.memory.u32(pointer, places.length).set(places);
      return { value: value * unit, pointer, count: places.length / BOTH_WORDS };
    });
    this.counts = allocate(4 * REPLICAS);
    this.tally = allocate(TALLY_BYTES * this.slots);
    this.sums = allocate(SUM_BYTES * this.slots);
    this.clearShares();
  }

  get drawn(): number {
    return this.layout.positions;
  }

  get mostPowers(): number {
    return Math.floor(this.plan.memory / (VARIABLE_BYTES * this.drawn + 65536));
  }

  slotsOf(variable: number): Slots {
    const position = this.layout.positionOf[variable];
    if (position < 0) return { from: 0, count: 0, alone: [1] };
    const { joined, probabilities } = this.layout.kindAt(position);
    return { from: position, count: 1, ...(joined ? {} : { alone: [1 - probabilities[0], probabilities[0]] }) };
  }

  places(searching: boolean): number {
    return searching ? 1 : this.rungs.length;
  }

  cost(searching: boolean): number {
    return (this.places(searching) * REPLICAS * this.drawn) / FASTER;
  }

  resize(powers: Float64Array, from: ArrayLike<number>): void {
    const { rungs, engine, plan, columns } = this;
    const states = rungs.map(({ replicas }) => replicas.words.slice());
    while (rungs.length > powers.length) drop(rungs.pop()!);
    while (rungs.length < powers.length) {
      const layout = new BitLayout(columns, engine.memory, { like: this.layout });
      const random = stream(plan.seed, "graph tempering, replicas", rungs.length);
      rungs.push({ layout, replicas: new Replicas(layout, engine, random, 1) });
    }
    for (const [k, { layout, replicas }] of rungs.entries()) {
      layout.setPower(powers[k]);
      if (states.length > 0) replicas.words.set(states[from[k]]);
    }
    this.values = new Float64Array(REPLICAS * powers.length);
  }

  *begin(start: Stream): Generator<void> {
    for (const [k, { replicas }] of this.rungs.entries()) {
      if (k > 0) yield;
      const draws = start.at(k);
      const { words } = replicas;
      for (let i = 0; i < words.length; i++) words[i] = draws.bits();
    }
  }

  async firstValue(): Promise<number> {
    return 0;
  }

  async sweep(sweep: number, from: number, { search, keep = false }: { search?: number; keep?: boolean }): Promise<number> {
    const count = this.places(search !== undefined);
    const fit = Math.max(1, Math.floor((STRETCH * FASTER) / REPLICAS / (this.drawn + 1))) * Math.max(1, this.plan.workers);
    const to = Math.min(count, from + fit);
    const some = this.rungs.slice(from, to);
    const all = { from: 0, to: this.drawn, shared: false };
    if (search !== undefined) some[0].layout.setPower(search);
    await this.run(some.flatMap(({ replicas }) => replicas.calls(all, sweep, 1, false, 1)));
    if (keep && from === 0 && this.slots > 0) this.tallyOnes(some[0].replicas);
    for (let k = from; k < to; k++) this.weighOne(k);
    if (search !== undefined) some[0].layout.setPower(1);
    return to < count ? to : 0;
  }

  private async run(calls: Call[]): Promise<void> {
    await this.engine.run(calls, { workers: Math.max(1, Math.min(this.plan.workers, calls.length)), deterministic: false });
  }

  private weighOne(k: number): void {
    const { engine, sets, values, rungs } = this;
    const powers = rungs.length;
    const kernel = engine.kernel("graphReplicaCounts", false);
    for (let e = 0; e < REPLICAS; e++) values[e * powers + k] = 0;
    for (const { value, pointer, count } of sets) {
      kernel(rungs[k].replicas.pointer, pointer, count, this.counts);
      const counts = engine.memory.u32(this.counts, REPLICAS);
      for (let e = 0; e < REPLICAS; e++) values[e * powers + k] += value * counts[e];
    }
  }

  spread(): void {
    const [first, ...others] = this.rungs.map(({ replicas }) => replicas.words);
    // The second half of the ensembles must start at random, but the search sweeps have moved it too. So this half gets
    // the random start states of another copy.
    const random = others[0].slice();
    for (const words of others) mix(words, first, FIRST_LOW, FIRST_HIGH);
    mix(first, random, ~FIRST_LOW, ~FIRST_HIGH);
  }

  trade(k: number, ensembles: readonly number[]): void {
    let [low, high] = [0, 0];
    for (const e of ensembles) if (e < 32) low |= 1 << e;
    for (const e of ensembles) if (e >= 32) high |= 1 << (e - 32);
    const [a, b] = [this.rungs[k].replicas.pointer, this.rungs[k + 1].replicas.pointer];
    if (low !== 0 || high !== 0) this.engine.kernel("graphReplicaTrade", false)(a, b, this.drawn, low, high);
  }

  async weigh(): Promise<void> {
    for (let k = 0; k < this.rungs.length; k++) this.weighOne(k);
  }

  private tallyOnes({ pointer }: Replicas): void {
    this.engine.kernel("graphReplicaOnes", false)(pointer, this.slots, this.tally);
    if (++this.tallied === TALLY_SWEEPS) this.empty();
  }

  /** The sums are integers, so the result does not depend on when they are added. */
  private empty(): Uint32Array {
    if (this.tallied > 0) this.engine.kernel("graphReplicaEmpty", false)(this.tally, this.slots, this.sums);
    this.tallied = 0;
    return this.engine.memory.u32(this.sums, REPLICAS * this.slots);
  }

  addShares(into: Float64Array): void {
    const sums = this.empty();
    for (let position = 0; position < this.slots; position++)
      for (let e = 0; e < REPLICAS; e++) into[e * this.slots + position] += sums[position * REPLICAS + e];
  }

  clearShares(): void {
    this.engine.memory.u8(this.tally, TALLY_BYTES * this.slots).fill(0);
    this.engine.memory.u8(this.sums, SUM_BYTES * this.slots).fill(0);
    this.tallied = 0;
  }

  snapshot(): Record<string, Tensor> {
    const words = 2 * this.drawn;
    const states = new Uint32Array(words * this.rungs.length);
    for (const [k, { replicas }] of this.rungs.entries()) states.set(replicas.words, k * words);
    return { states, shares: this.empty().slice() };
  }

  restore(kept: KeptPart): void {
    const words = 2 * this.drawn;
    const states = kept.tensor("states", Uint32Array, words * this.rungs.length);
    for (const [k, { replicas }] of this.rungs.entries()) replicas.words.set(states.subarray(k * words, (k + 1) * words));
    kept.into(this.empty(), "shares");
  }

  dispose(): void {
    for (const rung of this.rungs) drop(rung);
    for (const piece of this.held) piece.dispose();
    this.layout.dispose();
  }
}

function drop({ replicas, layout }: Rung): void {
  replicas.dispose();
  layout.dispose();
}

/** Replaces the states of the replicas in a mask (low and high word) by the states of `others`. */
function mix(words: Uint32Array, others: Uint32Array, low: number, high: number): void {
  for (let i = 0; i < words.length; i += 2) {
    words[i] = (words[i] & ~low) | (others[i] & low);
    words[i + 1] = (words[i + 1] & ~high) | (others[i + 1] & high);
  }
}
