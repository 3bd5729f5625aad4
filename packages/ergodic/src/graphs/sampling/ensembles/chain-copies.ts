import type { Conditionals, Tensor } from "../../../engine/contract/index.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import { Pauses } from "../../../engine/threads/steps.ts";
import type { InferencePlan } from "../../parts/algorithm.ts";
import { Chain } from "../gibbs/chain.ts";
import { coloursOf } from "../gibbs/colours.ts";
import { Layout } from "../gibbs/layout.ts";
import { chromatic } from "../gibbs/schedules/chromatic.ts";
import { type Copies, type Slots, STRETCH } from "./copies.ts";

/** Cost of a kernel call, expressed as a number of drawn variables. */
const CALL_COST = 32;
/** Largest number of variables that are drawn without a pause (about a millisecond). */
const SMALL = 1 << 14;
/** Cost of drawing a variable at random, relative to the cost of visiting a number. */
const DRAWN = 8;
/** Size of a copy: bytes per variable (its state and a flag for changes), and fixed bytes per copy. */
const [VARIABLE_BYTES, COPY_BYTES] = [2, 4096];

/**
 * Copies that are chains of graphGibbs (gibbs/chain.ts), for variables with any number of states and factors of any
 * kind.
 */
export class ChainCopies implements Copies {
  readonly ensembles: number;
  readonly words = "";
  readonly groups: number;
  readonly slots: number;
  values = new Float64Array(0);
  private readonly columns: Conditionals;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly layout: Layout;
  /** Chains by ensemble and power. */
  private readonly chains: Chain[][];

  constructor(columns: Conditionals, plan: InferencePlan, engine: Engine, ensembles: number) {
    this.columns = columns;
    this.plan = plan;
    this.engine = engine;
    this.ensembles = this.groups = ensembles;
    this.layout = Layout.of(columns, coloursOf(columns).order, engine.memory);
    this.slots = plan.task === "marginals" ? this.layout.slots[this.layout.drawn] : 0;
    this.chains = Array.from({ length: ensembles }, () => []);
  }

  get drawn(): number {
    return this.layout.drawn;
  }

  get mostPowers(): number {
    return Math.floor(this.plan.memory / (this.ensembles * (VARIABLE_BYTES * this.columns.cardinalities.length + COPY_BYTES)));
  }

  slotsOf(variable: number): Slots {
    const { positions, slots } = this.layout;
    const position = positions[variable];
    if (position >= this.drawn) return { from: 0, count: 0, alone: [1] };
    return { from: slots[position], count: this.layout.terms(position) };
  }

  places(searching: boolean): number {
    return searching ? this.ensembles >> 1 : this.ensembles * this.chains[0].length;
  }

  cost(searching: boolean): number {
    return this.places(searching) * (this.drawn + CALL_COST);
  }

  resize(powers: Float64Array, from: ArrayLike<number>): void {
    const { plan, layout, engine } = this;
    for (const [e, ladder] of this.chains.entries()) {
      const states = ladder.map((copy) => copy.packedStates().slice());
      while (ladder.length > powers.length) ladder.pop()!.dispose();
      while (ladder.length < powers.length) {
        const random = stream(plan.seed, "graph tempering", e, ladder.length);
        ladder.push(new Chain(layout, engine, random, 1, undefined, this.slots > 0 && ladder.length === 0));
      }
      for (const [k, copy] of ladder.entries()) {
        copy.setPower(powers[k]);
        if (states.length > 0) copy.packedStates().set(states[from[k]]);
      }
    }
    this.values = new Float64Array(this.ensembles * powers.length);
  }

  *begin(start: Stream): Generator<void> {
    const { cardinalities } = this.columns;
    const pauses = new Pauses();
    for (const [e, ladder] of this.chains.entries()) {
      const draws = start.at(e);
      for (const copy of ladder) {
        if (pauses.due(DRAWN * cardinalities.length)) yield;
        copy.begin((variable) => draws.integer(cardinalities[variable]));
      }
    }
  }

  async firstValue(): Promise<number> {
    const chain = new Chain(this.layout, this.engine, stream(0), 1, undefined, false);
    chain.begin(() => 0);
    await this.run([chain.valueCall()]);
    const { value } = chain;
    chain.dispose();
    return value;
  }

  async sweep(sweep: number, from: number, { search, keep = false }: { search?: number; keep?: boolean }): Promise<number> {
    const powers = this.chains[0].length;
    const searching = search !== undefined;
    // A place is a pair of an ensemble and a power. During a search, a place is only an ensemble.
    const count = this.places(searching);
    const fit = Math.max(1, Math.floor(STRETCH / (this.drawn + CALL_COST))) * Math.max(1, this.plan.workers);
    const to = Math.min(count, from + fit);
    const places = Array.from({ length: to - from }, (_, i) => (searching ? (from + i) * powers : from + i));
    const chains = places.map((at) => this.chains[Math.floor(at / powers)][at % powers]);
    const all = { from: 0, to: this.drawn, shared: false };
    if (searching) for (const chain of chains) chain.setPower(search);
    const calls = chains.flatMap((chain, i) =>
      chain.calls(all, chromatic, sweep, 1, keep && this.slots > 0 && places[i] % powers === 0, 1),
    );
    await this.run(calls);
    await this.run(chains.map((chain) => chain.valueCall()));
    for (const [i, chain] of chains.entries()) this.values[places[i]] = chain.value;
    if (searching) for (const chain of chains) chain.setPower(1);
    return to < count ? to : 0;
  }

  private async run(calls: Call[]): Promise<void> {
    // In small graphs, the overhead of a call would dominate.
    if (this.plan.workers <= 1 && calls.length * this.drawn < SMALL) {
      for (const { kernel, args } of calls) this.engine.kernel(kernel as string, false)(...args);
      return;
    }
    await this.engine.run(calls, { workers: Math.max(1, Math.min(this.plan.workers, calls.length)), deterministic: false });
  }

  spread(): void {
    for (const [first, ...others] of this.chains.slice(0, this.ensembles >> 1)) for (const copy of others) copy.copyStates(first);
  }

  trade(k: number, ensembles: readonly number[]): void {
    for (const e of ensembles) this.chains[e][k].trade(this.chains[e][k + 1]);
  }

  async weigh(): Promise<void> {
    const all = this.chains.flat();
    await this.run(all.map((chain) => chain.valueCall()));
    for (const [at, chain] of all.entries()) this.values[at] = chain.value;
  }

  addShares(into: Float64Array): void {
    for (const [e, [first]] of this.chains.entries()) {
      const sums = first.batchSums;
      for (let slot = 0; slot < this.slots; slot++) into[e * this.slots + slot] += sums[slot];
    }
  }

  clearShares(): void {
    for (const [first] of this.chains) first.clearBatch();
  }

  snapshot(): Record<string, Tensor> {
    const states = this.chains.flat().map((copy) => copy.packedStates());
    const words = states[0].length;
    const packed = new Uint32Array(words * states.length);
    for (const [i, own] of states.entries()) packed.set(own, i * words);
    return { states: packed, shares: Float64Array.from(this.chains.flatMap(([first]) => Array.from(first.batchSums))) };
  }

  restore(kept: KeptPart): void {
    const all = this.chains.flat();
    const words = all[0].packedStates().length;
    const states = kept.tensor("states", Uint32Array, words * all.length);
    const shares = kept.floats("shares", this.ensembles * this.slots);
    for (const [i, copy] of all.entries()) {
      const own = { states: states.slice(i * words, (i + 1) * words) };
      copy.restoreStates(new KeptPart("a copy", { tensors: own, state: {} }), "states");
    }
    for (const [e, [first]] of this.chains.entries()) first.batchSums.set(shares.subarray(e * this.slots, (e + 1) * this.slots));
  }

  dispose(): void {
    for (const copy of this.chains.flat()) copy.dispose();
    this.layout.dispose();
  }
}
