import type { Conditionals } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { type Compared, meanOfBlocks } from "../../engine/errors/worse.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Call } from "../../engine/memory/pool.ts";
import type { Stream } from "../../engine/random/stream.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";
import * as F from "../fields.ts";
import { withKnown } from "../parts/table-columns.ts";
import { Chain } from "../sampling/gibbs/chain.ts";
import { type Colours, colouring } from "../sampling/gibbs/colours.ts";
import { Layout } from "../sampling/gibbs/layout.ts";
import { chromatic, stretchesOf } from "../sampling/gibbs/schedules/chromatic.ts";
import type { Stretch } from "../sampling/gibbs/schedules/schedule.ts";
import { refuseImpossible } from "./learner.ts";

/**
 * Settings for the comparison of two points: number of blocks into which the evidence is divided, and number of sweeps
 * over hidden variables. The sweeps run before and during the comparison.
 */
const [COMPARED_BLOCKS, COMPARED_SWEEPS] = [16, 20];

/** Share of the labels that is redrawn per update if hidden variables must adapt to them. */
const LABELS_SHARE = 1 / 8;

/**
 * A graph with changing weights, stored in the engine's memory: its layout, the sources of its terms, and the factors
 * with learned weights. In the layout, all variables are free, and the unobserved variables come first. Chains with the
 * evidence visit only the unobserved variables. Labels are drawn from their own probabilities.
 */
export class LearntGraph {
  readonly layout: Layout;
  /** Stretches that visit the unobserved variables, and stretches that visit the observed variables. */
  readonly hidden: readonly Stretch[];
  readonly seen: readonly Stretch[];
  /** Number of unobserved variables. The unobserved variables have the positions below this number. */
  readonly hiddenCount: number;
  /** Observed state at each position, or −1. */
  readonly evidence: Int32Array;
  /** Position of each variable with labels, and the cumulative probabilities of its states. */
  private readonly labelled: readonly (readonly [position: number, sums: Float64Array])[];
  private readonly engine: Engine;
  private readonly deterministic: boolean;
  private readonly arena: Arena;
  private readonly weightCount: number;
  private readonly weights: number;
  private readonly out: number;
  private shared: readonly number[] = [];
  private own: readonly number[] = [];
  /** `slots`: first slot of each position. `moved`: amount per slot to add to the sources of own terms. */
  private slots = 0;
  private moved = 0;
  private ownGradient: readonly number[] = [];
  private factors = 0;
  private factorCount = 0;
  private readonly fixed: Uint8Array;

  /** Builds the graph synchronously. */
  static of(...given: Parameters<typeof LearntGraph.making>): LearntGraph {
    return atOnce(LearntGraph.making(...given));
  }

  /** Same as `of`, but yields every few milliseconds. */
  static *making(given: Conditionals, engine: Engine, deterministic = false): Generator<void, LearntGraph> {
    // A variable with a single state is never drawn.
    const columns = withKnown({ ...given, observed: given.observed.map(() => -1) });
    const graph = new LearntGraph(given, columns, yield* colouring(columns), engine, deterministic);
    let made = false;
    try {
      yield* graph.layout.filling();
      yield* graph.filling(columns);
      made = true;
      return graph;
    } finally {
      if (!made) graph.dispose();
    }
  }

  private constructor(given: Conditionals, columns: Conditionals, colours: Colours, engine: Engine, deterministic: boolean) {
    const { observed } = withKnown(given);
    const labels = given.labels ?? new Map<number, Float64Array>();
    const isKnown = (variable: number): boolean => observed[variable] >= 0 || labels.has(variable);
    const [hidden, seen] = [false, true].map((known) => partOf(colours, (variable) => isKnown(variable) === known));
    this.engine = engine;
    this.deterministic = deterministic;
    this.hiddenCount = hidden.order.length;
    this.hidden = stretchesOf(hidden.ends, 0);
    this.seen = stretchesOf(seen.ends, hidden.order.length);
    const order = new Uint32Array(hidden.order.length + seen.order.length);
    order.set(hidden.order);
    order.set(seen.order, hidden.order.length);
    this.layout = new Layout(columns, order, engine.memory, { learn: true });
    this.evidence = new Int32Array(observed.length);
    for (let p = 0; p < observed.length; p++) this.evidence[p] = observed[this.layout.variables[p]];
    this.labelled = Array.from(labels)
      .filter(([variable]) => observed[variable] < 0)
      .map(([variable, p]) => {
        let sum = 0;
        return [this.layout.positions[variable], p.map((value) => (sum += value))];
      });
    this.fixed = given.weightFixed;
    this.weightCount = given.weightValues.length;
    this.arena = new Arena(engine.memory, "weights of a graph");
    this.weights = this.arena.take(8 * (this.weightCount + 1));
    this.out = this.arena.take(8 * (this.weightCount + 1));
  }

  /** Fills the memory once the layout exists. */
  private *filling(columns: Conditionals): Generator<void> {
    const { engine } = this;
    const { shared, bases, weights, addresses, ends, ownBases, ownWeights } = this.layout.sources!;
    const put = (values: Float64Array | Uint32Array): number => {
      const at = this.arena.take(Math.max(8, values.byteLength));
      if (values instanceof Float64Array) engine.memory.f64(at, values.length).set(values);
      else engine.memory.u32(at, values.length).set(values);
      return at;
    };
    this.shared = [shared, put(bases), put(weights), this.weights, bases.length];
    const [slotEnds, products] = [put(ends), [put(ownBases), put(ownWeights)]];
    this.own = [put(addresses), slotEnds, ...products, this.weights, addresses.length];
    this.slots = put(this.layout.slots);
    this.moved = this.arena.take(Math.max(8, 8 * addresses.length));
    this.ownGradient = [this.moved, slotEnds, ...products, addresses.length, this.out];
    const { words, count } = yield* this.records(columns, put(columns.shapeValues));
    this.factors = put(words);
    this.factorCount = count;
  }

  /**
   * Writes LEARNT blocks for the factors of several variables with a learned weight. Factors of a single variable are
   * fully covered by the variable's own terms.
   */
  private *records(columns: Conditionals, values: number): Generator<void, { words: Uint32Array; count: number }> {
    const { ends, variables, literals, shapes, weights, weightFixed, features, counting, shapeBegins, cardinalities } = columns;
    const { layout } = this;
    const numbers = layout.countedNumbers();
    const learnt = (factor: number): boolean =>
      numbers[factor] > -2 && weights[factor] >= 0 && weightFixed[weights[factor]] === 0;
    let [size, count] = [0, 0];
    const pauses = new Pauses();
    for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
      if (!learnt(factor)) continue;
      count++;
      size += F.LEARNT_BYTES + (ends[factor] - from) * F.MEMBER_BYTES;
    }
    const words = new Uint32Array(size / 4);
    const floats = new Float64Array(words.buffer);
    let at = 0;
    for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
      if (!learnt(factor)) continue;
      const to = ends[factor];
      if (pauses.due(to - from)) yield;
      const counts = counting[shapes[factor]] === 1;
      words[at + F.LEARNT_VALUES / 4] = values + 8 * shapeBegins[shapes[factor]];
      words[at + F.LEARNT_WEIGHT / 4] = weights[factor];
      floats[(at + F.LEARNT_FEATURE_F64 / 4) / 2] = features?.[factor] ?? 1;
      words[at + F.LEARNT_MEMBERS / 4] = to - from;
      words[at + F.LEARNT_COUNTED / 4] = counts ? numbers[factor] + 1 : 0;
      const first = at + F.LEARNT_BYTES / 4;
      let stride = 8;
      for (let edge = to - 1; edge >= from; edge--) {
        const variable = variables[edge];
        const member = first + ((edge - from) * F.MEMBER_BYTES) / 4;
        const p = layout.positions[variable];
        words[member + F.MEMBER_POSITION / 4] = p;
        words[member + F.MEMBER_STRIDE / 4] = stride;
        words[member + F.MEMBER_STATES / 4] = counts ? literals[edge] : cardinalities[variable];
        if (p < layout.drawn) words[member + F.MEMBER_SLOT / 4] = layout.slots[p] + (layout.terms(p) === 1 ? 0x80000000 : 0);
        if (!counts) stride *= cardinalities[variable];
      }
      at = first + ((to - from) * F.MEMBER_BYTES) / 4;
    }
    return { words, count };
  }

  /**
   * Creates a chain. Hidden variables start in random states, observed ones in their observed states. `from` gives
   * initial states by variable.
   */
  chain(random: Stream, workers: number, from: ArrayLike<number> = [], free = false): Chain {
    const chain = new Chain(this.layout, this.engine, random, workers);
    const draws = random.at(Number.MAX_SAFE_INTEGER);
    const { cardinalities, positions } = this.layout;
    chain.begin((variable) => {
      const state = this.evidence[positions[variable]];
      const before = variable < from.length && from[variable] < cardinalities[variable] ? from[variable] : -1;
      if (before >= 0 && (free || state < 0)) return before;
      return state >= 0 ? state : draws.integer(cardinalities[variable]);
    });
    return chain;
  }

  /** Returns the states of a chain, by variable. */
  statesOf({ current }: Chain): Uint8Array {
    return Uint8Array.from(this.layout.positions, (position) => current[position]);
  }

  /**
   * Draws labels from their probabilities. If hidden variables depend on the labels, only an eighth of the labels is
   * redrawn each time, so that the hidden variables can adapt.
   */
  label(chain: Chain, random: Stream, update: number): void {
    if (this.labelled.length === 0) return;
    const share = this.hiddenCount === 0 || update === 0 ? 1 : LABELS_SHARE;
    const draws = random.at(update);
    const { current } = chain;
    for (const [position, sums] of this.labelled) {
      const [u, v] = [draws.uniform(), draws.uniform()];
      if (u >= share) continue;
      let state = 0;
      while (state < sums.length - 1 && v * sums[sums.length - 1] >= sums[state]) state++;
      current[position] = state;
    }
    chain.recount();
  }

  /** Recomputes all terms for these weights. */
  weigh(values: Float64Array): void {
    this.run(this.weighCalls(values));
  }

  /** Returns the calls, in order, that recompute all terms for these weights. */
  weighCalls(values: Float64Array): Call[] {
    const memory = this.engine.memory.f64(this.weights, this.weightCount + 1);
    memory.set(values);
    memory[this.weightCount] = 1;
    return [
      { kernel: "graphTerms", args: [...this.shared] },
      { kernel: "graphOwnTerms", args: [...this.own] },
    ];
  }

  /** Reads the accumulated sum of each weight's factors, and clears the sums. Fixed weights get 0. */
  takeSums(into: Float64Array): void {
    this.run([this.sumsCall()]);
    this.takeSummed(into);
  }

  /** Returns the call that must run before `takeSummed`. */
  sumsCall(): Call {
    return { kernel: "graphOwnGradient", args: [...this.ownGradient] };
  }

  takeSummed(into: Float64Array): void {
    const sums = this.engine.memory.f64(this.out, this.weightCount);
    into.set(sums);
    sums.fill(0);
    for (let weight = 0; weight < into.length; weight++) if (this.fixed[weight]) into[weight] = 0;
  }

  /** Adds scale × Σ feature × g(x) at the chain's states, up to a constant that does not depend on the states. */
  addStatistics(chain: Chain, scale: number): void {
    this.run(this.statisticsCalls(chain, scale));
  }

  /** Returns the calls of `addStatistics`, in order. */
  statisticsCalls(chain: Chain, scale: number): Call[] {
    return [
      { kernel: "graphStatistics", args: [chain.block, this.factors, this.factorCount, scale, this.out] },
      this.moveCall(chain, scale, false),
    ];
  }

  /**
   * Returns Σ ln p(x_i | others) at the chain's states, over positions from `from` on. If `scale` is given, also adds
   * `scale` times the gradient over all positions.
   */
  pseudo(chain: Chain, from: number, scale?: number): number {
    if (scale === undefined) return this.call(this.scoreCall(chain, from));
    chain.clearBatch();
    const score = this.call({ kernel: "graphScore", args: [chain.block, from, this.layout.drawn, 1] });
    this.call({ kernel: "graphPseudo", args: [chain.block, this.factors, this.factorCount, scale, this.out] });
    this.call(this.moveCall(chain, scale, true));
    return score;
  }

  /**
   * Compares two points by the mean of −ln p(x_i | others) over the evidence. Unobserved variables are drawn separately
   * at each point, and labels only once. The error is estimated over blocks of the evidence.
   */
  compare(start: Float64Array, end: Float64Array, random: Stream): Compared {
    const { drawn } = this.layout;
    const [blocks, from] = [Math.min(COMPARED_BLOCKS, drawn - this.hiddenCount), this.hiddenCount];
    const edges = Array.from({ length: blocks + 1 }, (_, k) => from + Math.floor((k * (drawn - from)) / blocks));
    const at = (x: Float64Array): number[] => {
      const chain = this.chain(random, 1);
      try {
        this.weigh(x);
        this.label(chain, random, 0);
        const sums = new Array<number>(blocks).fill(0);
        const sweeps = this.hiddenCount > 0 ? COMPARED_SWEEPS : 1;
        for (let sweep = -sweeps; sweep < sweeps; sweep++) {
          for (const calls of this.sweep(chain, this.hidden, sweep + sweeps, 1)) this.run(calls);
          if (sweep >= 0)
            for (let k = 0; k < blocks; k++)
              sums[k] -= this.call({ kernel: "graphScore", args: [chain.block, edges[k], edges[k + 1], 0] }) / sweeps;
        }
        return sums.map((sum, k) => sum / (edges[k + 1] - edges[k]));
      } finally {
        chain.dispose();
      }
    };
    return meanOfBlocks(at(start), at(end));
  }

  /** Returns the call that computes Σ ln p(x_i | others) at the chain's states, over positions from `from` on. */
  scoreCall(chain: Chain, from: number): Call {
    return { kernel: "graphScore", args: [chain.block, from, this.layout.drawn, 0] };
  }

  /**
   * Checks chains over a graph with zeros. The first chain must hold the evidence. The check runs if the loss is not
   * finite, and whenever `update`, the number of updates so far, is a power of two >= 4.
   *
   * @throws DataError if the evidence is impossible; CapabilityError if a chain is stuck in an impossible state
   */
  refuseZeros(chains: readonly Chain[], loss: number, update: number): void {
    const due = update >= 4 && (update & (update - 1)) === 0;
    if ((Number.isFinite(loss) && !due) || !this.layout.hard.includes(1)) return;
    const stuck = chains.findIndex((chain) => {
      this.call(chain.valueCall());
      return chain.value === -Infinity;
    });
    if (stuck < 0) return;
    if (stuck === 0 && this.hiddenCount === 0 && this.labelled.length === 0) refuseImpossible();
    throw new CapabilityError(
      "fit",
      "the graph has zeros, and chains are in states that the zeros rule out and that changes of one variable do not leave; use exactLikelihood(), or replace the zeros by finite weights",
      "GRAPH_ZEROS",
    );
  }

  /**
   * Returns the call that adds scale × (g(x) − its mean) for own terms. The mean under the conditional probabilities is
   * subtracted only if `expected` is true.
   */
  private moveCall(chain: Chain, scale: number, expected: boolean): Call {
    return { kernel: "graphMoved", args: [chain.block, this.slots, this.layout.drawn, scale, this.moved, expected ? 1 : 0] };
  }

  /**
   * Returns the calls of one sweep, grouped by stretch. The calls of a stretch must finish before the next stretch
   * begins.
   */
  sweep(chain: Chain, stretches: readonly Stretch[], sweep: number, workers: number): Call[][] {
    return stretches.map((stretch) => chain.calls(stretch, chromatic, sweep, 1, false, workers));
  }

  /** Runs the calls on this thread, one after another. */
  run(calls: readonly Call[]): void {
    for (const call of calls) this.call(call);
  }

  dispose(): void {
    this.arena.dispose();
    this.layout.dispose();
  }

  private call({ kernel, args }: Call): number {
    return this.engine.kernel(kernel as string, this.deterministic)(...args);
  }
}

/** Returns the selected variables of each colour. */
function partOf({ order, ends }: Colours, wanted: (variable: number) => boolean) {
  const kept: number[] = [];
  const keptEnds: number[] = [];
  let from = 0;
  for (const end of ends) {
    for (const variable of order.subarray(from, end)) if (wanted(variable)) kept.push(variable);
    keptEnds.push(kept.length);
    from = end;
  }
  return { order: kept, ends: keptEnds };
}
