import type { Snapshot } from "../../engine/contract/index.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { declare } from "../../engine/errors/options.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { stream } from "../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer } from "../parts/algorithm.ts";
import { climb } from "../parts/climb.ts";
import { Incumbent } from "../parts/incumbent.ts";
import { JointState } from "../parts/joint-state.ts";
import { LogTables } from "../parts/log-tables.ts";
import { PartRun } from "../parts/part-run.ts";
import { quickBound } from "../parts/quick-bound.ts";
import type { Component } from "../parts/reduction.ts";
import { sweep } from "../parts/sweep.ts";

/** Options of `graphAnnealing`. */
export interface GraphAnnealingOptions {
  /** Number of sweeps over all variables, from the first temperature to the last. Default 1000; >= 1. */
  sweeps?: number;
  /** First temperature; 1 is the distribution itself. Default 3, or `to` if that is higher; > 0, at least `to`. */
  from?: number;
  /** Last temperature. Default 0.05; > 0. */
  to?: number;
  /** Number of runs, each from a different random state. Default 10; >= 1. */
  restarts?: number;
}

/** Number of variables drawn between two yields: a few milliseconds of work. */
const PAUSE_VARIABLES = 10_000;

/**
 * Simulated annealing on a graph: Gibbs sweeps from p(x)^{1/T}, where T falls geometrically from `from` to `to` over
 * `sweeps`. Afterwards, variables are moved to their best states one at a time until no move improves the state. The
 * result is the best state of `restarts` runs. Each run starts from a random state in which no factor is 0, and stays
 * within such states.
 *
 * The state might not be optimal. A mini-bucket bound limits the distance from the optimum, and the run ends early if
 * this limit is 0. Task: "map". Source: Kirkpatrick, Gelatt and Vecchi 1983; Geman and Geman 1984.
 *
 * @throws CapabilityError if zeros leave no state that a search finds
 */
export const graphAnnealing = /* @__PURE__ */ declare<GraphAnnealingOptions, InferenceAlgorithm>(
  {
    name: "graphAnnealing",
    options: {
      sweeps: { low: 1, integer: true },
      from: { low: 0, open: true },
      to: { low: 0, open: true },
      restarts: { low: 1, integer: true },
    },
  },
  (options) => {
    const where = "graphAnnealing";
    const { sweeps = 1000, to = 0.05, restarts = 10 } = options;
    const { from = Math.max(3, to) } = options;
    if (from < to)
      throw new OptionError(
        where,
        `from is ${from} and to is ${to}, but temperatures must fall; exchange them`,
        "OPTION_MEANING",
      );
    return {
      name: where,
      verb: "infer",
      tasks: ["map"],
      toJSON: () => ({ algorithm: where, sweeps, from, to, restarts }),
      prepare: LogTables.making,
      start: (part, plan) => new GraphAnnealing(part, plan, { sweeps, from, to, restarts }),
    };
  },
);

class GraphAnnealing extends PartRun {
  private readonly plan: InferencePlan;
  private readonly options: Required<GraphAnnealingOptions>;
  private readonly tables: LogTables;
  private readonly found: Incumbent;
  /** Index of the current run, number of its finished sweeps, and its current state. */
  private restart = 0;
  private sweeps = 0;
  private current: JointState | undefined;

  constructor(part: Component, plan: InferencePlan, options: Required<GraphAnnealingOptions>) {
    super();
    this.plan = plan;
    this.options = options;
    this.tables = LogTables.of(part);
    this.found = new Incumbent(part.cardinalities.length);
  }

  protected *work(): Generator<void> {
    const { tables, found, options, plan } = this;
    const { from, to } = options;
    const count = tables.cardinalities.length;
    const starts = stream(plan.seed, "annealing starts");
    found.bound ??= yield* quickBound(tables, "largest");
    let seen = 0;
    for (; this.restart < options.restarts && !found.optimal; this.restart++) {
      if (!this.current) {
        const start = yield* found.start(tables, starts.at(this.restart), "graphAnnealing");
        if (!start) return;
        this.current = new JointState(tables, start);
        found.offer(this.current);
      }
      const draws = stream(plan.seed, "annealing", this.restart);
      while (this.sweeps < options.sweeps) {
        const temperature = from * exp((this.sweeps / Math.max(1, options.sweeps - 1)) * log(to / from));
        sweep(this.current, 1 / temperature, draws.at(this.sweeps));
        this.sweeps++;
        found.offer(this.current);
        seen += count;
        if (seen < PAUSE_VARIABLES) continue;
        seen = 0;
        yield;
      }
      const peak = new JointState(tables, this.current.states);
      yield* climb(peak);
      found.offer(peak);
      this.current = undefined;
      this.sweeps = 0;
    }
  }

  answer(): PartAnswer | undefined {
    const { found, options, restart, sweeps } = this;
    return found.answer(`annealing, ${restart * options.sweeps + sweeps} sweeps`);
  }

  report(): Record<string, number> {
    return { sweeps: this.restart * this.options.sweeps + this.sweeps };
  }

  snapshot(): Snapshot {
    const { restart, sweeps, current } = this;
    const { tensors, state } = this.found.snapshot({ restart, sweeps });
    return { tensors: { ...tensors, ...(current ? { current: current.states.slice() } : {}) }, state };
  }

  restore(snapshot: Snapshot): void {
    const kept = this.found.restore(snapshot);
    this.restart = kept.count("restart");
    this.sweeps = kept.count("sweeps");
    if (kept.has("current"))
      this.current = new JointState(this.tables, kept.tensor("current", Int32Array, this.tables.cardinalities.length));
  }
}
