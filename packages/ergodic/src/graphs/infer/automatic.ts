import type { Snapshot } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { declare } from "../../engine/errors/options.ts";
import { isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { powerText } from "../../engine/memory/room.ts";
import { chooseCutset } from "../exact/cutset.ts";
import { eliminationIn, treeOf } from "../exact/elimination.ts";
import { supportsToTry, type TreeSupports } from "../exact/tree-supports.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../parts/algorithm.ts";
import { eliminationOrders } from "../parts/elimination-orders.ts";
import type { Component } from "../parts/reduction.ts";
import { isSmall, SmallPart } from "../parts/small-part.ts";
import { graphGibbs } from "../sampling/gibbs/graph-gibbs.ts";
import { graphAnnealing } from "../search/graph-annealing.ts";
import { estimated } from "./estimated.ts";

/**
 * Approximate speed of elimination in joint states per second, and largest number of joint states without a time limit
 * (a few minutes of work).
 */
const STATES_A_SECOND = 2.5e8;
const MOST_STATES = 2 ** 36;
/** Share of the time limit that elimination may plan to use. */
const TIME_SHARE = 0.6;
const MOST_SLICES = 2 ** 16;
/**
 * Search budget for elimination orders, in operations per second of the time limit. The search takes up to half of the
 * time.
 */
const ORDER_OPERATIONS = 1.5e8;
/**
 * If the first order is this many times too expensive, no better order is searched for, unless the tables contain
 * zeros. On tournament graphs and lattices, a search reduced the cost by a factor of at most 2^6 if there were no
 * zeros, and at most 2^19 if there were zeros.
 */
const HOPELESS = 2 ** 24;

/**
 * Graphs with at least this many variables are sampled directly. Finding their parts, and an order for each part, would
 * take too long.
 */
const MANY = 200_000;

/**
 * Chooses an algorithm for each connected part, by its width. A part with few joint states is enumerated. Otherwise,
 * exact elimination is used if it can process the joint states of the cliques within 0.6 of `until.seconds`. The
 * cliques belong to the best order found, after zeros are removed. Without a time limit, the bound is 2^36 states. If
 * memory is short, elimination works in slices.
 *
 * Other parts use importance sampling from mini-buckets. Parallel tempering is added if the intervals remain wide and
 * no factor is 0 (estimated.ts). For "map", these parts use simulated annealing. Marginals of graphs without zeros with
 * 200,000 or more variables come from Gibbs sampling. The answer's `method` states the choice and the reason.
 */
export const automatic = /* @__PURE__ */ declare<Record<never, never>, InferenceAlgorithm>(
  { name: "automatic", options: {} },
  () => {
    return {
      name: "automatic",
      verb: "infer",
      tasks: ["marginals", "partition", "map"],
      toJSON: () => ({ algorithm: "automatic" }),
      start: (part, plan, engine) =>
        exactOr(plan.task === "map" ? graphAnnealing() : estimated(), true).start(part, plan, engine),
      wholeFrom: MANY,
      startWhole: (columns, plan, engine) => {
        const chosen = graphGibbs().startWhole!(columns, plan, engine);
        const answering = chosen.answering!.bind(chosen);
        const why = `${columns.cardinalities.length} variables are too many to look for parts and orders; `;
        return Object.assign(chosen, {
          *answering() {
            const found = yield* answering();
            return found && { ...found, method: why + found.method };
          },
        });
      },
    };
  },
);

/**
 * Uses exact elimination if `automatic` would choose it, and otherwise the given algorithm. With `mayGiveUp`, a part
 * ends without an answer, rather than failing, if the algorithm finds no state with nonzero factors.
 */
export function exactOr(otherwise: InferenceAlgorithm, mayGiveUp = false): InferenceAlgorithm {
  return {
    ...otherwise,
    prepare: undefined,
    start: (part, plan, engine) =>
      isSmall(part) ? new SmallPart(part, plan.task) : new Automatic(otherwise, part, plan, engine, mayGiveUp),
  };
}

class Automatic implements PartInference {
  private readonly otherwise: InferenceAlgorithm;
  private readonly part: Component;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private search: AsyncGenerator<void> | undefined;
  private supports: TreeSupports | undefined;
  private chosen: PartInference | undefined;
  private why = "";
  private readonly mayGiveUp: boolean;
  private gaveUp = false;
  private kept: Snapshot | undefined;

  constructor(otherwise: InferenceAlgorithm, part: Component, plan: InferencePlan, engine: Engine, mayGiveUp: boolean) {
    this.mayGiveUp = mayGiveUp;
    this.otherwise = otherwise;
    this.part = part;
    this.plan = plan;
    this.engine = engine;
  }

  get ended(): boolean {
    return this.gaveUp || (this.chosen?.ended ?? false);
  }

  async advance(): Promise<void> {
    if (!this.chosen) {
      this.search ??= this.choose();
      await this.search.next();
      return;
    }
    try {
      await this.chosen.advance();
    } catch (error) {
      if (!this.mayGiveUp || !(error instanceof CapabilityError) || error.code !== "GRAPH_ZEROS") throw error;
      this.gaveUp = true;
    }
  }

  private async *choose(): AsyncGenerator<void> {
    const { part, plan, engine } = this;
    const scopes = part.tables.map(({ scope }) => scope);
    const affordable = plan.seconds === undefined ? MOST_STATES : plan.seconds * TIME_SHARE * STATES_A_SECOND;
    const zeros = part.tables.some(({ values, logs }) => values.includes(logs ? -Infinity : 0));
    const limits = {
      ...(plan.seconds === undefined ? {} : { most: plan.seconds * ORDER_OPERATIONS }),
      ...(zeros ? {} : { worth: HOPELESS * affordable }),
    };
    const { order } = yield* eliminationOrders(part.cardinalities, scopes, { seed: plan.seed, ...limits });
    const cutset = yield* chooseCutset(order, scopes, part.cardinalities, plan.memory / 8, MOST_SLICES);
    const states = cutset ? cutset.cost.total * cutset.slices : Infinity;
    // "map" needs one sweep, the other tasks need two.
    const most = affordable / (plan.task === "map" ? 1 : 2);
    // Cliques are reduced to the joint states that zeros leave possible.
    if (zeros) this.supports = supportsToTry(yield* treeOf(part, order), part, engine);
    if (this.supports && !(yield* this.supports.find({ mostWork: Math.min(states, most), memory: plan.memory })))
      this.supports = undefined;
    const exact = this.supports !== undefined || states <= most;
    if (!exact) {
      const width = states < Infinity ? `${powerText(states)} states are` : "its messages are";
      this.why = `${width} too much for elimination; `;
    }
    if (!exact && this.otherwise.prepare) yield* this.otherwise.prepare(part);
    this.chosen = exact
      ? eliminationIn({ order, supports: this.supports }, part, plan, engine)
      : this.otherwise.start(part, plan, engine);
    if (this.kept) this.chosen.restore(this.kept);
  }

  answer(): PartAnswer | undefined {
    const found = this.chosen?.answer();
    return found && { ...found, method: this.why + found.method };
  }

  report(): Record<string, number> {
    return this.chosen?.report() ?? {};
  }

  snapshot(): Snapshot {
    const { tensors, state } = this.chosen?.snapshot() ?? this.kept ?? { tensors: {}, state: null };
    return { tensors, state: { chosen: state } };
  }

  /**
   * The choice depends only on the graph and the plan, so a restored run repeats it. The chosen algorithm then
   * continues.
   */
  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the automatic choice", snapshot);
    const { chosen } = kept.state;
    if (chosen !== null)
      this.kept = { tensors: snapshot.tensors, state: isObject(chosen) ? chosen : kept.refuse("chosen is no object") };
  }

  dispose(): void {
    this.supports?.dispose();
    this.chosen?.dispose();
  }
}
