import type { Snapshot } from "../../engine/contract/index.ts";
import { declare } from "../../engine/errors/options.ts";
import { stream } from "../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer } from "../parts/algorithm.ts";
import { climb } from "../parts/climb.ts";
import { Incumbent } from "../parts/incumbent.ts";
import { JointState } from "../parts/joint-state.ts";
import { LogTables } from "../parts/log-tables.ts";
import { PartRun } from "../parts/part-run.ts";
import { quickBound } from "../parts/quick-bound.ts";
import type { Component } from "../parts/reduction.ts";

/** Options of `iteratedConditionalModes`. */
export interface IteratedConditionalModesOptions {
  /** Number of random starting states, used one after another. Default 100; >= 1. */
  restarts?: number;
}

/** Number of variables visited between two yields: a few milliseconds of work. Restarts do not reset the count. */
const PAUSE_VARIABLES = 2000;

/**
 * Iterated conditional modes: x_i ← argmax_s Π_f φ_f(s, x_∖i), one variable after another until none changes. Starts
 * from `restarts` random states in which no factor is 0.
 *
 * The result cannot be improved by changing a single variable, but is often far from optimal. A mini-bucket bound gives
 * its largest possible distance from the optimum, and the run ends early if this distance is 0. Task: "map". Source:
 * Besag 1986.
 *
 * @throws CapabilityError if zeros leave no state that a search finds
 */
export const iteratedConditionalModes = /* @__PURE__ */ declare<IteratedConditionalModesOptions, InferenceAlgorithm>(
  { name: "iteratedConditionalModes", options: { restarts: { low: 1, integer: true } } },
  (options) => {
    const where = "iteratedConditionalModes";
    const { restarts = 100 } = options;
    return {
      name: where,
      verb: "infer",
      tasks: ["map"],
      toJSON: () => ({ algorithm: where, restarts }),
      prepare: LogTables.making,
      start: (part, plan) => new IteratedConditionalModes(part, plan, restarts),
    };
  },
);

class IteratedConditionalModes extends PartRun {
  private readonly plan: InferencePlan;
  private readonly restarts: number;
  private readonly tables: LogTables;
  private readonly found: Incumbent;
  private restart = 0;

  constructor(part: Component, plan: InferencePlan, restarts: number) {
    super();
    this.plan = plan;
    this.restarts = restarts;
    this.tables = LogTables.of(part);
    this.found = new Incumbent(part.cardinalities.length);
  }

  protected *work(): Generator<void> {
    const { tables, found, restarts, plan } = this;
    const joint = new JointState(tables);
    const starts = stream(plan.seed, "iterated conditional modes");
    found.bound ??= yield* quickBound(tables, "largest");
    let seen = 0;
    while (this.restart < restarts && !found.optimal) {
      const start = yield* found.start(tables, starts.at(this.restart), "iteratedConditionalModes");
      if (!start) return;
      joint.set(start);
      yield* climb(joint);
      found.offer(joint);
      this.restart++;
      seen += tables.cardinalities.length;
      if (seen < PAUSE_VARIABLES) continue;
      seen = 0;
      yield;
    }
  }

  answer(): PartAnswer | undefined {
    return this.found.answer(`iterated conditional modes from ${this.restart} random states`);
  }

  report(): Record<string, number> {
    return { restarts: this.restart };
  }

  snapshot(): Snapshot {
    return this.found.snapshot({ restart: this.restart });
  }

  restore(snapshot: Snapshot): void {
    this.restart = this.found.restore(snapshot).count("restart");
  }
}
