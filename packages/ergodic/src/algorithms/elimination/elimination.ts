import { CapabilityError, checkKeys, checkNumber } from "../../base/errors.ts";
import { bytesText } from "../../base/room.ts";
import type { Snapshot } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../inference/algorithm.ts";
import type { Component } from "../inference/reduction.ts";
import { junctionTree, treeCost } from "./junction-tree.ts";
import { eliminationOrders } from "./order.ts";
import { TreePass } from "./tree-pass.ts";

/** Options of `elimination`. */
export interface EliminationOptions {
  /** Joint states that all cliques may have together: what time is spent on. Default 2^34; > 0. */
  mostStates?: number;
}

const MOST_STATES = 2 ** 34;

/**
 * Exact inference: variables are summed (or maximised) out one after another, in an order good in time and memory (order.ts), by messages over a junction
 * tree (tree-pass.ts), which gives all marginals at once. Right up to rounding; tasks: all. Sources: Dechter 1999; Shenoy and Shafer 1990.
 *
 * @throws CapabilityError where the graph is too wide for `mostStates`, or for the memory that the plan allows
 */
export function elimination(options: EliminationOptions = {}): InferenceAlgorithm {
  checkKeys("elimination", options, ["mostStates"]);
  const { mostStates = MOST_STATES } = options;
  checkNumber("elimination", "mostStates", mostStates, { low: 1 });
  return {
    name: "elimination",
    tasks: ["marginals", "partition", "map"],
    toJSON: () => ({ algorithm: "elimination", mostStates }),
    start: (part, plan, engine) => new Elimination(part, plan, engine, mostStates),
  };
}

class Elimination implements PartInference {
  ended = false;
  private readonly part: Component;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly mostStates: number;
  private readonly work: AsyncGenerator<void>;
  private pass: TreePass | undefined;
  private method = "";

  constructor(part: Component, plan: InferencePlan, engine: Engine, mostStates: number) {
    this.part = part;
    this.plan = plan;
    this.engine = engine;
    this.mostStates = mostStates;
    this.work = this.stretches();
  }

  async advance(): Promise<void> {
    if ((await this.work.next()).done) this.ended = true;
  }

  private async *stretches(): AsyncGenerator<void> {
    const { part, plan, engine, mostStates } = this;
    const scopes = part.tables.map(({ scope }) => scope);
    const { order, tried } = yield* eliminationOrders(part.cardinalities, scopes, { seed: plan.seed });
    const cliques = junctionTree(order, scopes);
    const { logTotal, logLargest, messageEntries } = treeCost(cliques, part.cardinalities);
    if (2 ** logTotal > mostStates || messageEntries * 8 > plan.memory)
      throw new CapabilityError(
        "elimination",
        `the cliques of the best of ${tried} orders have 2^${logTotal.toFixed(1)} states and exchange messages of ${bytesText(messageEntries * 8)}, but 2^${Math.log2(mostStates).toFixed(1)} states and ${bytesText(plan.memory)} are allowed; raise mostStates or memory, give more evidence, or take an algorithm that approximates`,
        "GRAPH_WIDTH",
      );
    this.method = `elimination: a junction tree of ${cliques.length} cliques, the largest of 2^${logLargest.toFixed(1)} states`;
    for (const careful of [false, true]) {
      this.pass = new TreePass(cliques, part, plan.task, engine, careful);
      yield* this.pass.work();
      if (!this.pass.lost) return;
      this.pass.dispose();
    }
  }

  answer(): PartAnswer | undefined {
    if (!this.ended || !this.pass) return undefined;
    const { logValue, marginals, states } = this.pass.answer;
    const { method } = this;
    const exact = { exact: true } as const;
    if (this.plan.task === "map") return states && { method, map: { states, value: logValue, bound: logValue } };
    const logZ = { value: logValue, certificate: exact };
    return marginals ? { method, logZ, marginals: marginals.map((p) => ({ p, certificate: exact })) } : { method, logZ };
  }

  report(): Record<string, number> {
    return { states: this.pass?.swept ?? 0 };
  }

  snapshot(): Snapshot {
    return { tensors: {}, state: {} };
  }

  /** Tables are not kept: the part is done again. */
  restore(): void {}

  dispose(): void {
    this.pass?.dispose();
  }
}
