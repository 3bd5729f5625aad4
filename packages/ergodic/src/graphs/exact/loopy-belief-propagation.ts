import type { Certificate, Snapshot } from "../../engine/contract/index.ts";
import { declare } from "../../engine/errors/options.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer } from "../parts/algorithm.ts";
import { LogTables } from "../parts/log-tables.ts";
import { PartRun } from "../parts/part-run.ts";
import type { Component } from "../parts/reduction.ts";
import { Messages } from "./messages.ts";

/** Options of `loopyBeliefPropagation`. */
export interface LoopyBeliefPropagationOptions {
  /**
   * Weight of the old message when a new message is computed. Both messages are averaged as logarithms. Damping has no
   * effect on trees. Default 0.3; 0 to 0.99.
   */
  damping?: number;
  /**
   * Convergence threshold: the largest change of any message in a round, with messages scaled to a maximum of 1.
   * Default 1e-9; >= 0.
   */
  tolerance?: number;
  /** Largest number of rounds. A round passes over all variables in both directions. Default 1000; >= 1. */
  rounds?: number;
}

/**
 * Largest change of a message at which a tree has converged. The messages of a tree are exact after one round, so
 * smaller changes are rounding errors.
 */
const ROUNDING = 1e-12;
/** Number of entries processed between two yields: a few milliseconds of work. */
const PAUSE_ENTRIES = 1e5;

/**
 * Sum-product message passing: μ_{f→i}(x_i) ∝ Σ_{x∖i} φ_f(x) Π_{j≠i} μ_{j→f}(x_j), μ_{i→f} ∝ Π_{g≠f} μ_{g→i}, until
 * convergence. Then p(x_i) ∝ Π_f μ_{f→i}(x_i), and ln Z ≈ −(Bethe free energy).
 *
 * Variables are updated one after another, inwards to the first variable and outwards again. The result is exact on
 * trees. On other graphs, the messages can converge far from the truth, or not at all. The certificate therefore gives
 * no guarantee. A message that is 0 everywhere proves that no state is possible. Tasks: "marginals", "partition".
 * `damping`, `tolerance`, `rounds`: see the options. Source: Pearl 1988; Yedidia, Freeman and Weiss 2005.
 */
export const loopyBeliefPropagation = /* @__PURE__ */ declare<LoopyBeliefPropagationOptions, InferenceAlgorithm>(
  {
    name: "loopyBeliefPropagation",
    options: { damping: { low: 0, high: 0.99 }, tolerance: { low: 0 }, rounds: { low: 1, integer: true } },
  },
  (options) => {
    const where = "loopyBeliefPropagation";
    const { damping = 0.3, tolerance = 1e-9, rounds = 1000 } = options;
    return {
      name: where,
      verb: "infer",
      tasks: ["marginals", "partition"],
      toJSON: () => ({ algorithm: where, damping, tolerance, rounds }),
      prepare: LogTables.making,
      start: (part, plan) => new LoopyBeliefPropagation(part, plan, { damping, tolerance, rounds }),
    };
  },
);

/** `giveUp`: if a message still changes by more than this after EARLY_ROUNDS rounds, the run ends. */
interface Settings extends Required<LoopyBeliefPropagationOptions> {
  readonly giveUp?: number;
}

const EARLY_ROUNDS = 3;

/** Run of `loopyBeliefPropagation` on a part. */
export class LoopyBeliefPropagation extends PartRun {
  private readonly plan: Pick<InferencePlan, "task">;
  private readonly options: Settings;
  private readonly messages: Messages;
  private readonly order: readonly number[];
  private readonly tree: boolean;
  private readonly variableCount: number;
  /**
   * Number of finished rounds, steps in the current round, and largest change in the current and in the previous round.
   */
  private rounds = 0;
  private place = 0;
  private change = 0;
  private lastChange = Infinity;

  constructor(part: Component, plan: Pick<InferencePlan, "task">, options: Settings) {
    super();
    this.plan = plan;
    this.messages = new Messages(LogTables.of(part));
    const { order, tree } = this.messages;
    this.order = order;
    this.tree = tree;
    this.variableCount = part.cardinalities.length;
    this.options = { ...options, damping: tree ? 0 : options.damping, tolerance: tree ? ROUNDING : options.tolerance };
  }

  private get converged(): boolean {
    return this.messages.impossible || this.lastChange <= this.options.tolerance;
  }

  private get hopeless(): boolean {
    return this.rounds === EARLY_ROUNDS && this.lastChange > (this.options.giveUp ?? Infinity);
  }

  protected *work(): Generator<void> {
    const { order, messages, options } = this;
    let looked = 0;
    while (!this.converged && !this.hopeless && this.rounds < options.rounds) {
      for (; this.place < 2 * order.length; this.place++) {
        if (looked > PAUSE_ENTRIES) {
          yield;
          looked = 0;
        }
        // Each round passes inwards to the first variable and then outwards.
        const variable = this.place < order.length ? order[order.length - 1 - this.place] : order[this.place - order.length];
        this.change = Math.max(this.change, messages.update(variable, options.damping));
        looked += messages.work(variable);
        if (messages.impossible) return;
      }
      this.lastChange = this.change;
      this.rounds++;
      this.place = 0;
      this.change = 0;
    }
  }

  answer(): PartAnswer | undefined {
    const { messages, rounds, converged, plan } = this;
    if (messages.impossible)
      return {
        method: "loopy belief propagation: no state is possible",
        logZ: { value: -Infinity, certificate: { exact: true } },
      };
    if (rounds === 0) return undefined;
    const exact = this.tree && converged;
    const times = `${rounds} ${rounds === 1 ? "round" : "rounds"}`;
    const how = converged
      ? `converged in ${times}`
      : `did not converge in ${times}, the last of which changed a message by ${this.lastChange.toPrecision(2)}`;
    const certificate: Certificate = exact ? { exact: true } : { none: `loopy belief propagation ${how}` };
    const method = exact ? "belief propagation on a tree" : `loopy belief propagation: ${how}`;
    const logZ = exact || plan.task === "partition" ? { logZ: { value: messages.logPartition, certificate } } : {};
    if (plan.task === "partition") return { method, ...logZ };
    const marginals = this.beliefs().map((p) => ({ p, certificate }));
    return { method, marginals, ...logZ };
  }

  /** Returns the probabilities of each variable's states. */
  beliefs(): Float64Array[] {
    return Array.from({ length: this.variableCount }, (_, variable) => this.messages.marginal(variable));
  }

  report(): Record<string, number> {
    return { rounds: this.rounds };
  }

  snapshot(): Snapshot {
    const { rounds, place, change, lastChange } = this;
    const state = { rounds, place, change, lastChange: Number.isFinite(lastChange) ? lastChange : null };
    return { tensors: { messages: this.messages.values }, state };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("loopy belief propagation", snapshot);
    this.rounds = kept.count("rounds");
    this.place = kept.count("place", 0, 2 * this.order.length);
    this.change = kept.number("change", 0);
    this.lastChange = kept.numberOr("lastChange", Infinity);
    this.messages.load(kept.floats("messages", this.messages.values.length));
  }
}
