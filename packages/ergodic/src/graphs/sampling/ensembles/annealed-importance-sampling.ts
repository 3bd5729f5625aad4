import type { Snapshot } from "../../../engine/contract/index.ts";
import { declare } from "../../../engine/errors/options.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import { type Draws, stream } from "../../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer } from "../../parts/algorithm.ts";
import { type Ergodicity, ergodicity } from "../../parts/ergodicity.ts";
import { noPositiveState } from "../../parts/incumbent.ts";
import { JointState } from "../../parts/joint-state.ts";
import { LogTables } from "../../parts/log-tables.ts";
import { PartRun } from "../../parts/part-run.ts";
import { positiveState } from "../../parts/positive-state.ts";
import type { Component } from "../../parts/reduction.ts";
import { sweep } from "../../parts/sweep.ts";
import { logMean } from "./weights.ts";

/** Options of `annealedImportanceSampling`. */
export interface AnnealedImportanceSamplingOptions {
  /** Number of independent runs, each of which gives a weight. Default 500; >= 100. */
  particles?: number;
  /** Largest number of temperatures in a run. A pilot run chooses the number and the values. Default 1000; >= 1. */
  temperatures?: number;
  /** Confidence level of the interval. Default 0.99; from 0.5 to 0.9999. */
  level?: number;
}

/** Number of parallel runs in the pilot. */
const PILOT_RUNS = 32;
/** Standard deviation that the pilot aims for in the log weights of each step. */
const PILOT_STEP = 0.5;
/**
 * Variance that the log weights of whole runs should have. The number of temperatures is chosen accordingly. This
 * choice assumes that successive sweeps are independent.
 */
const AIM = 0.1;
/** Number of variables drawn between two yields: a few milliseconds of work. */
const PAUSE_VARIABLES = 5000;

/**
 * Annealed importance sampling: from the uniform distribution over the remaining states, through p_β(x) ∝ Π_f φ_f(x)^β,
 * to β = 1. A run starts with x ~ p_0 and w = Π states. For each next β', it multiplies w by Π_f φ_f(x)^{β' − β} and
 * draws one Gibbs sweep from p_β'. The expectation of w is exactly Z, whatever the temperatures. The error of the mean
 * over `particles` runs is estimated from their spread (`level`).
 *
 * A pilot chooses temperatures at which the log weights of all steps have equal variance. Runs are independent of each
 * other. The certificate is an interval, or k̂ and the effective sample size if the weights have a heavy tail. If k̂ is
 * too high, there is no certificate. There is also no certificate if single-variable changes might not reach all states
 * (parts/ergodicity.ts). The runs can then miss whole islands, and the weights show no sign of it. Task: "partition".
 * Source: Neal 2001; Vehtari et al. 2024 for k̂.
 *
 * @throws CapabilityError if zeros leave no state that a search finds
 */
export const annealedImportanceSampling = /* @__PURE__ */ declare<AnnealedImportanceSamplingOptions, InferenceAlgorithm>(
  {
    name: "annealedImportanceSampling",
    options: {
      particles: { low: 100, integer: true },
      temperatures: { low: 1, integer: true },
      level: { low: 0.5, high: 0.9999 },
    },
  },
  (options) => {
    const where = "annealedImportanceSampling";
    const { particles = 500, temperatures = 1000, level = 0.99 } = options;
    return {
      name: where,
      verb: "infer",
      tasks: ["partition"],
      toJSON: () => ({ algorithm: where, particles, temperatures, level }),
      prepare: LogTables.making,
      start: (part, plan) => new AnnealedImportanceSampling(part, plan, { particles, temperatures, level }),
    };
  },
);

class AnnealedImportanceSampling extends PartRun {
  private readonly part: Component;
  private readonly plan: InferencePlan;
  private readonly options: Required<AnnealedImportanceSamplingOptions>;
  private readonly tables: LogTables;
  private chain: Ergodicity | undefined;
  private impossible = false;
  /** ln of the product at a state found by search. This value replaces the estimate if every run ended in zeros. */
  private least = -Infinity;
  /** Powers β in ascending order, ending with 1. */
  private schedule: Float64Array | undefined;
  private readonly logWeights: Float64Array;
  private done = 0;

  constructor(part: Component, plan: InferencePlan, options: Required<AnnealedImportanceSamplingOptions>) {
    super();
    this.part = part;
    this.plan = plan;
    this.options = options;
    this.tables = LogTables.of(part);
    this.logWeights = new Float64Array(options.particles);
  }

  protected *work(): Generator<void> {
    const { tables, plan, options } = this;
    this.chain = yield* ergodicity(this.part);
    if (tables.zeros) {
      const found = yield* positiveState(tables, stream(plan.seed, "annealed importance sampling, zeros").at(0));
      if (found === "impossible") this.impossible = true;
      if (found === "impossible") return;
      if (!found) throw noPositiveState("annealedImportanceSampling");
      this.least = new JointState(tables, found).value;
    }
    this.schedule ??= yield* this.pilot();
    const joint = new JointState(tables);
    let seen = 0;
    while (this.done < options.particles) {
      const random = stream(plan.seed, "annealed importance sampling", this.done);
      joint.set(uniform(tables, random.at(0)));
      let logWeight = tables.logStates;
      let power = 0;
      for (const [k, next] of this.schedule.entries()) {
        logWeight += (next - power) * joint.value;
        power = next;
        if (logWeight === -Infinity || power === 1) break;
        sweep(joint, power, random.at(k + 1));
        seen += tables.cardinalities.length;
        if (seen < PAUSE_VARIABLES) continue;
        seen = 0;
        yield;
      }
      this.logWeights[this.done++] = logWeight;
    }
  }

  /**
   * Finds powers at which each step's log weights have a standard deviation of PILOT_STEP. Then splits each step into
   * as many equal parts as AIM requires.
   */
  private *pilot(): Generator<void, Float64Array> {
    const { tables, options, plan } = this;
    const random = stream(plan.seed, "annealed importance sampling, pilot");
    const first = new JointState(tables);
    const runs: JointState[] = [];
    const powers: number[] = [];
    let power = 0;
    let seen = 0;
    while (runs.length < PILOT_RUNS) {
      runs.push(new JointState(first, uniform(tables, random.at(runs.length))));
      seen += tables.cardinalities.length;
      if (seen < PAUSE_VARIABLES) continue;
      seen = 0;
      yield;
    }
    seen = 0;
    while (power < 1) {
      const draws = random.at(PILOT_RUNS + powers.length);
      const values = this.revived(runs, draws);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      const left = options.temperatures - powers.length;
      const step = Math.max(deviation > 0 ? PILOT_STEP / deviation : 1, (1 - power) / left);
      power = Math.min(power + step, 1);
      powers.push(power);
      for (const run of runs) {
        if (run.value > -Infinity) sweep(run, power, draws);
        seen += tables.cardinalities.length;
        if (seen < PAUSE_VARIABLES) continue;
        seen = 0;
        yield;
      }
    }
    const wanted = (powers.length * PILOT_STEP) ** 2 / AIM;
    const parts = Math.max(1, Math.floor(Math.min(wanted, options.temperatures) / powers.length));
    return Float64Array.from(powers.flatMap((to, k) => between(k === 0 ? 0 : powers[k - 1], to, parts)));
  }

  /** Returns ln of the product of each run. Runs whose product is 0 restart from the state of another run. */
  private revived(runs: readonly JointState[], draws: Draws): number[] {
    const alive = runs.filter((run) => run.value > -Infinity);
    if (alive.length === 0) return [this.least];
    for (const run of runs) if (run.value === -Infinity) run.set(alive[draws.integer(alive.length)].states);
    return runs.map((run) => run.value);
  }

  answer(): PartAnswer | undefined {
    const { impossible, done, options, chain, schedule } = this;
    if (impossible)
      return {
        method: "annealed importance sampling: no state is possible",
        logZ: { value: -Infinity, certificate: { exact: true } },
      };
    if (done === 0 || !schedule || !chain) return undefined;
    const method = `annealed importance sampling: ${done} runs over ${schedule.length} temperatures`;
    const weights = this.logWeights.subarray(0, done);
    if (weights.every((weight) => weight === -Infinity))
      return { method, logZ: { value: this.least, certificate: { none: "every run ended in zeros" }, error: Infinity } };
    const { value, certificate, error } = logMean(weights, options.level);
    return { method, logZ: { value, certificate: chain.ergodic === true ? certificate : { none: chain.reason }, error } };
  }

  report(): Record<string, number> {
    return { runs: this.done };
  }

  snapshot(): Snapshot {
    const { schedule, logWeights, done } = this;
    return { tensors: schedule ? { schedule: schedule.slice(), logWeights: logWeights.slice() } : {}, state: { done } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("annealed importance sampling", snapshot);
    this.done = kept.count("done", 0, this.options.particles);
    if (!kept.has("schedule")) return;
    this.schedule = kept.floats("schedule").slice();
    this.logWeights.set(kept.floats("logWeights", this.options.particles));
  }
}

const uniform = ({ cardinalities }: LogTables, draws: Draws): Int32Array =>
  Int32Array.from(cardinalities, (count) => draws.integer(count));

/** Returns the ends of `parts` equal steps. The last end is exactly `to`. */
const between = (from: number, to: number, parts: number): number[] =>
  Array.from({ length: parts }, (_, i) => (i === parts - 1 ? to : from + ((to - from) * (i + 1)) / parts));
