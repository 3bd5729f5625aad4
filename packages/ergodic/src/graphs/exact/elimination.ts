import type { Json, Snapshot } from "../../engine/contract/index.ts";
import { assert, CapabilityError } from "../../engine/errors/errors.ts";
import { declare } from "../../engine/errors/options.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { bytesText, powerText } from "../../engine/memory/room.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../parts/algorithm.ts";
import { eliminationOrders } from "../parts/elimination-orders.ts";
import type { Component } from "../parts/reduction.ts";
import { chooseCutset, sliceOf } from "./cutset.ts";
import { type Clique, junctionTrees, mergeSmall, type TreeCost, treeCost } from "./junction-tree.ts";
import { type TreeAnswer, TreePass } from "./tree-pass.ts";
import { supportsToTry, type TreeSupports } from "./tree-supports.ts";

/** Options of `elimination`. */
export interface EliminationOptions {
  /**
   * Largest total number of joint states of all cliques, not counting states that zeros rule out. Each costs about 4
   * ns. Default 2^36; > 0.
   */
  mostStates?: number;
}

const MOST_STATES = 2 ** 36;
const MOST_SLICES = 2 ** 16;

/**
 * Exact inference by message passing on a junction tree (tree-pass.ts). Variables are summed (or maximised) out in an
 * order that needs little time and memory (elimination-orders.ts). All marginals are computed in the same two passes.
 * States that zeros rule out are skipped if that saves time (tree-supports.ts). If the messages exceed the plan's
 * memory, some variables are fixed to each of their states in turn (cutset.ts). The result is exact up to rounding.
 * Tasks: all. Sources: Dechter 1999; Shenoy and Shafer 1990.
 *
 * @throws CapabilityError if the graph is too wide for `mostStates`
 */
export const elimination = /* @__PURE__ */ declare<EliminationOptions, InferenceAlgorithm>(
  { name: "elimination", options: { mostStates: { low: 1 } } },
  (options) => {
    const { mostStates = MOST_STATES } = options;
    return {
      name: "elimination",
      verb: "infer",
      tasks: ["marginals", "partition", "map"],
      toJSON: () => ({ algorithm: "elimination", mostStates }),
      start: (part, plan, engine) => new Elimination(part, plan, engine, mostStates),
    };
  },
);

/**
 * Runs elimination with a known order. If supports for the whole part were found, the run uses these supports. The run
 * takes ownership of the supports.
 */
export function eliminationIn(
  known: { order: readonly number[]; supports: TreeSupports | undefined },
  part: Component,
  plan: InferencePlan,
  engine: Engine,
): PartInference {
  return new Elimination(part, plan, engine, Infinity, { ...known, decided: true });
}

/**
 * Creates elimination for repeated inference on a graph of fixed structure in which only the values of the tables
 * change. Each part reuses its order in `orders`, indexed by part, or stores a new order there. An order is valid for
 * any part with the same number of variables.
 */
export function eliminationAgain(orders: (readonly number[])[]): InferenceAlgorithm {
  let started = 0;
  const start = (part: Component, plan: InferencePlan, engine: Engine): PartInference => {
    const place = started++;
    const known = orders[place]?.length === part.cardinalities.length ? { order: orders[place] } : {};
    return new Elimination(part, plan, engine, MOST_STATES, { ...known, found: (order) => void (orders[place] = order) });
  };
  return { ...elimination(), start };
}

/** Information about a part that is computed before its elimination. */
interface Known {
  readonly order?: readonly number[];
  readonly supports?: TreeSupports | undefined;
  /** Whether the decision about using supports has been made. */
  readonly decided?: boolean;
  /** Receives the order. */
  found?(order: readonly number[]): void;
}

class Elimination implements PartInference {
  ended = false;
  private readonly part: Component;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly mostStates: number;
  private readonly total: SliceSum;
  private work: AsyncGenerator<void>;
  private order: readonly number[] | undefined;
  private slices = 0;
  private swept = 0;
  private pass: TreePass | undefined;
  private supports: TreeSupports | undefined;
  /** Whether the decision about using supports for the whole part has been made. */
  private decided: boolean;
  private readonly found: Known["found"];
  private method = "";

  constructor(
    part: Component,
    plan: InferencePlan,
    engine: Engine,
    mostStates: number,
    { order, supports, decided = false, found }: Known = {},
  ) {
    this.order = order;
    this.supports = supports;
    this.decided = decided;
    this.found = found;
    this.part = part;
    this.plan = plan;
    this.engine = engine;
    this.mostStates = mostStates;
    this.total = new SliceSum(part, plan.task);
    this.work = this.stretches();
  }

  async advance(): Promise<void> {
    if ((await this.work.next()).done) this.ended = true;
  }

  private async *stretches(): AsyncGenerator<void> {
    const { part, plan } = this;
    const scopes = part.tables.map(({ scope }) => scope);
    this.order ??= (yield* eliminationOrders(part.cardinalities, scopes, { seed: plan.seed })).order;
    this.found?.(this.order);
    const cutset = yield* chooseCutset(this.order, scopes, part.cardinalities, plan.memory / 8, MOST_SLICES);
    const states = cutset ? cutset.cost.total * cutset.slices : Infinity;
    if (!this.decided) yield* this.support(yield* treeOf(part, this.order), part, Math.min(states, this.mostStates));
    this.decided = true;
    if (this.supports) {
      const { total } = yield* this.costWhole();
      this.slices = 1;
      this.method = `elimination: junction tree, ${powerText(this.supports.states)} of its ${powerText(total)} states, zeros left out`;
      if (this.total.done < 1) yield* this.slice([]);
      return;
    }
    if (!cutset || states > this.mostStates) throw yield* this.tooWide(states);
    const { variables, slices, cost } = cutset;
    this.slices = slices;
    const held = variables.length > 0 ? `, ${slices} slices over the states of ${variables.length} variables` : "";
    this.method = `elimination: junction tree, largest clique ${powerText(cost.largest)} states${held}`;
    while (this.total.done < slices) yield* this.slice(variables);
  }

  /** Searches for the supports of a tree if the search is likely to pay. */
  private async *support(cliques: readonly Clique[], part: Component, mostWork: number): AsyncGenerator<void> {
    const { memory } = this.plan;
    this.supports = supportsToTry(cliques, part, this.engine);
    if (this.supports && !(yield* this.supports.find({ mostWork, memory }))) this.supports = undefined;
  }

  private *costWhole(): Generator<void, TreeCost> {
    return treeCost(yield* treeOf(this.part, this.order!), this.part.cardinalities);
  }

  private *tooWide(states: number): Generator<void, CapabilityError> {
    const { plan, mostStates } = this;
    const cost = yield* this.costWhole();
    return new CapabilityError(
      "elimination",
      `the cliques of the best order have ${powerText(cost.total)} states and exchange messages of ${bytesText(cost.messageEntries * 8)}; within ${bytesText(plan.memory)} that takes ${states < Infinity ? `${powerText(states)} states` : "too many slices"}, but ${powerText(mostStates)} states are allowed; raise memory or mostStates, give more evidence, or use an algorithm that approximates`,
      "GRAPH_WIDTH",
    );
  }

  /** Computes the next slice, or the whole part if no variables are fixed. */
  private async *slice(held: readonly number[]): AsyncGenerator<void> {
    const { part, total, order } = this;
    if (held.length === 0)
      return total.add(
        yield* this.sum(part, order!),
        [],
        part.cardinalities.map((_, variable) => variable),
      );
    const { reduction, states } = sliceOf(part, held, total.done);
    const whole: TreeAnswer = { logValue: reduction.scale };
    const fixed = reduction.states.map((left) => left[0]);
    if (this.plan.task === "map") whole.states = Int32Array.from(fixed);
    if (this.plan.task === "marginals")
      whole.marginals = part.cardinalities.map((count, variable) =>
        Float64Array.from({ length: count }, (_, s) => (s === fixed[variable] ? 1 : 0)),
      );
    for (const component of reduction.components) {
      const places = new Map(component.variables.map((variable, i) => [variable, i]));
      const own = order!.flatMap((variable) => places.get(variable) ?? []);
      const tree = yield* treeOf(component, own);
      yield* this.support(tree, component, treeCost(tree, component.cardinalities).total);
      const answer = yield* this.sum(component, own);
      whole.logValue += answer.logValue;
      if (whole.logValue === -Infinity) break;
      component.variables.forEach((variable, i) => {
        const left = component.states[i];
        if (answer.states) whole.states![variable] = left[answer.states[i]];
        if (!answer.marginals) return;
        whole.marginals![variable].fill(0);
        left.forEach((state, s) => {
          whole.marginals![variable][state] = answer.marginals![i][s];
        });
      });
    }
    total.add(whole, states, held);
  }

  private async *sum(part: Component, order: readonly number[]): AsyncGenerator<void, TreeAnswer> {
    const { plan, supports } = this;
    try {
      for (const careful of [false, true]) {
        const pass = new TreePass(yield* treeOf(part, order), part, plan.task, this.engine, {
          careful,
          workers: plan.workers,
          supports,
        });
        this.pass = pass;
        yield* pass.work();
        this.swept += pass.swept;
        pass.dispose();
        if (!pass.lost) return pass.answer;
      }
      assert(false, "a careful pass lost what it had");
    } finally {
      this.release();
    }
  }

  answer(): PartAnswer | undefined {
    return this.ended ? { method: this.method, ...this.total.answer() } : undefined;
  }

  report(): Record<string, number> {
    return { states: this.swept + (this.pass?.swept ?? 0), slices: this.slices, slice: this.total.done };
  }

  snapshot(): Snapshot {
    const { tensors, state } = this.total.snapshot();
    return { tensors: { ...tensors, ...(this.order ? { order: Uint32Array.from(this.order) } : {}) }, state };
  }

  /** Restores the order and the finished slices. An unfinished slice is repeated. */
  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("elimination", snapshot);
    const count = this.part.cardinalities.length;
    if (kept.has("order")) {
      this.order = [...kept.indices("order", count, count)];
      if (new Set(this.order).size !== count) kept.refuse("the order has variables twice");
    }
    this.total.restore(kept);
    this.work = this.stretches();
  }

  private release(): void {
    this.pass?.dispose();
    this.supports?.dispose();
    this.pass = this.supports = undefined;
  }

  dispose(): void {
    this.release();
  }
}

/** Returns the junction tree of a part for this order. Yields every few milliseconds. */
export function* treeOf({ tables, cardinalities }: Component, order: readonly number[]): Generator<void, Clique[]> {
  const scopes = tables.map(({ scope }) => scope);
  return mergeSmall(yield* junctionTrees(order, scopes), cardinalities, tables);
}

/** Combines slices: adds up the weights and weighted marginals of the slices, or keeps the best state. */
class SliceSum {
  /** Number of slices added. */
  done = 0;
  private readonly part: Component;
  private readonly task: InferencePlan["task"];
  /** ln of the sum (or of the largest value) so far. The marginals below are relative to this sum. */
  private logValue = -Infinity;
  private marginals: Float64Array[];
  private states: Int32Array;

  constructor(part: Component, task: InferencePlan["task"]) {
    this.part = part;
    this.task = task;
    this.marginals = task === "marginals" ? part.cardinalities.map((count) => new Float64Array(count)) : [];
    this.states = new Int32Array(task === "map" ? part.cardinalities.length : 0);
  }

  add(answer: TreeAnswer, states: readonly number[], held: readonly number[]): void {
    this.done++;
    if (answer.logValue === -Infinity) return;
    if (this.task === "map") {
      if (answer.logValue <= this.logValue) return;
      this.logValue = answer.logValue;
      this.states = answer.states!;
      states.forEach((state, k) => {
        this.states[held[k]] = state;
      });
      return;
    }
    const high = Math.max(this.logValue, answer.logValue);
    const [before, now] = [exp(this.logValue - high), exp(answer.logValue - high)];
    this.logValue = high + log(before + now);
    const [old, share] = [before / (before + now), now / (before + now)];
    this.marginals.forEach((p, variable) => {
      p.forEach((value, state) => {
        p[state] = value * old + answer.marginals![variable][state] * share;
      });
    });
  }

  answer(): Omit<PartAnswer, "method"> {
    const { task, logValue } = this;
    const exact = { exact: true } as const;
    if (task === "map") return { map: { states: this.states, value: logValue, bound: logValue } };
    const logZ = { value: logValue, certificate: exact };
    return task === "partition" ? { logZ } : { logZ, marginals: this.marginals.map((p) => ({ p, certificate: exact })) };
  }

  snapshot(): Snapshot {
    const finite: Json = Number.isFinite(this.logValue) ? this.logValue : null;
    const all = Float64Array.from(this.marginals.flatMap((p) => [...p]));
    return { tensors: { marginals: all, states: this.states.slice() }, state: { done: this.done, logValue: finite } };
  }

  restore(kept: KeptPart): void {
    this.done = kept.count("done");
    this.logValue = kept.numberOr("logValue", -Infinity);
    const counts = this.task === "marginals" ? this.part.cardinalities : [];
    const all = kept.floats(
      "marginals",
      counts.reduce((sum, count) => sum + count, 0),
    );
    let at = 0;
    this.marginals = counts.map((count) => all.slice(at, (at += count)));
    this.states = kept.tensor("states", Int32Array, this.states.length).slice();
    const wrong = this.states.findIndex((state, variable) => state < 0 || state >= this.part.cardinalities[variable]);
    if (wrong >= 0) kept.refuse(`variable ${wrong} has no state ${this.states[wrong]}`);
  }
}
