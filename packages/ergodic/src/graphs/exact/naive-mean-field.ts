import type { Snapshot } from "../../engine/contract/index.ts";
import { declare } from "../../engine/errors/options.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { logSumExp } from "../../engine/numbers/log-sum-exp.ts";
import { type Draws, stream } from "../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer } from "../parts/algorithm.ts";
import { noPositiveState } from "../parts/incumbent.ts";
import { LogTables } from "../parts/log-tables.ts";
import { PartRun } from "../parts/part-run.ts";
import { positiveState } from "../parts/positive-state.ts";
import { quickBound } from "../parts/quick-bound.ts";
import type { Component } from "../parts/reduction.ts";
import { Contraction } from "./contraction.ts";
import { evidenceLowerBound } from "./evidence-lower-bound.ts";

/** Options of `naiveMeanField`. */
export interface NaiveMeanFieldOptions {
  /**
   * Number of starting points. The first starting point is the uniform distribution if no factor has zeros. Default 10;
   * >= 1.
   */
  restarts?: number;
  /** Largest number of rounds over all variables per start. Default 1000; >= 1. */
  rounds?: number;
  /**
   * Convergence threshold: the increase of the bound in a round, relative to |bound| if |bound| > 1. Default 1e-9; >=
   * 0.
   */
  tolerance?: number;
}

/** Number of entries processed between two yields: a few milliseconds of work. */
const PAUSE_ENTRIES = 1e5;

/**
 * Naive mean field: finds the q(x) = Π_i q_i(x_i) that maximises the evidence lower bound E_q[Σ_f ln φ_f] + H(q) ≤ ln
 * Z, by coordinate ascent: q_i(s) ∝ exp(Σ_f E_{q∖i}[ln φ_f(s, x_∖i)]).
 *
 * For "partition", the value is the best bound of all starts. The certificate contains this bound and an upper bound
 * from mini-bucket elimination; both are proved. For "marginals", the q_i have no guarantee: they tend to be
 * overconfident, and to favour one of several modes. If factors have zeros, each start is a single state in which no
 * factor is 0. Every joint state to which q gives positive probability is then possible. `restarts`, `rounds`,
 * `tolerance`: see the options. Source: Saul, Jaakkola and Jordan 1996.
 *
 * @throws CapabilityError if zeros leave no state that a search finds
 */
export const naiveMeanField = /* @__PURE__ */ declare<NaiveMeanFieldOptions, InferenceAlgorithm>(
  {
    name: "naiveMeanField",
    options: { restarts: { low: 1, integer: true }, rounds: { low: 1, integer: true }, tolerance: { low: 0 } },
  },
  (options) => {
    const where = "naiveMeanField";
    const { restarts = 10, rounds = 1000, tolerance = 1e-9 } = options;
    return {
      name: where,
      verb: "infer",
      tasks: ["marginals", "partition"],
      toJSON: () => ({ algorithm: where, restarts, rounds, tolerance }),
      prepare: LogTables.making,
      start: (part, plan) => new NaiveMeanField(part, plan, { restarts, rounds, tolerance }),
    };
  },
);

class NaiveMeanField extends PartRun {
  private readonly plan: InferencePlan;
  private readonly options: Required<NaiveMeanFieldOptions>;
  private readonly tables: LogTables;
  private readonly contraction = new Contraction();
  private restart = 0;
  private impossible = false;
  /** Best distribution so far, and its bound. */
  private best: Float64Array[] | undefined;
  private lower = -Infinity;
  private upper: number | undefined;

  constructor(part: Component, plan: InferencePlan, options: Required<NaiveMeanFieldOptions>) {
    super();
    this.plan = plan;
    this.options = options;
    this.tables = LogTables.of(part);
  }

  protected *work(): Generator<void> {
    const { options, plan } = this;
    const starts = stream(plan.seed, "mean field");
    this.upper ??= (yield* quickBound(this.tables, "upper")).value;
    for (; this.restart < options.restarts; this.restart++) {
      const q = yield* this.start(starts.at(this.restart));
      if (!q) return;
      const bound = yield* this.ascend(q);
      if (bound > this.lower || !this.best) {
        this.lower = bound;
        this.best = q;
      }
    }
  }

  private *start(draws: Draws): Generator<void, Float64Array[] | undefined> {
    const { tables } = this;
    const counts = tables.cardinalities;
    if (!tables.zeros && this.restart === 0) return counts.map((count) => new Float64Array(count).fill(1 / count));
    if (!tables.zeros) {
      const weights = counts.map((count) => Float64Array.from({ length: count }, () => draws.exponential()));
      return weights.map((of) => {
        const total = of.reduce((sum, weight) => sum + weight, 0);
        return of.map((weight) => weight / total);
      });
    }
    const states = yield* positiveState(tables, draws);
    if (states === "impossible") this.impossible = true;
    if (states === undefined && !this.best) throw noPositiveState("naiveMeanField");
    if (states === "impossible" || states === undefined) return undefined;
    return counts.map((count, variable) => new Float64Array(count).fill(1, states[variable], states[variable] + 1));
  }

  /** Ascends from q to a fixed point, changing q in place. Returns the lower bound on ln Z at the fixed point. */
  private *ascend(q: Float64Array[]): Generator<void, number> {
    const { tables, options, contraction } = this;
    let bound = evidenceLowerBound(tables, q, contraction);
    let looked = 0;
    for (let round = 0; round < options.rounds; round++) {
      for (let variable = 0; variable < q.length; variable++) {
        const sum = new Float64Array(tables.cardinalities[variable]);
        for (const { table, axis } of tables.touching[variable]) {
          const { values, shape, scope } = tables.tables[table];
          const weights = scope.map((one) => q[one]);
          contraction.sum(values, shape, weights, axis).forEach((value, s) => {
            sum[s] += value;
          });
          looked += 2 * values.length + 100;
        }
        const total = logSumExp(sum);
        q[variable] = sum.map((value) => exp(value - total));
        if (looked < PAUSE_ENTRIES) continue;
        looked = 0;
        yield;
      }
      looked += 2 * tables.values.length;
      const next = evidenceLowerBound(tables, q, contraction);
      const rise = next - bound;
      bound = next;
      if (!(rise > options.tolerance * Math.max(1, Math.abs(bound)))) break;
    }
    return bound;
  }

  answer(): PartAnswer | undefined {
    const { best, lower, upper, restart, impossible, plan } = this;
    const method = `naive mean field, the best of ${restart} starts`;
    if (impossible) return { method, logZ: { value: -Infinity, certificate: { exact: true } } };
    if (!best || upper === undefined) return undefined;
    const logZ = { value: lower, certificate: { lower, upper: Math.max(lower, upper) } };
    if (plan.task === "partition") return { method, logZ };
    const certificate = { none: "naive mean field treats variables as independent of each other" };
    return { method, logZ, marginals: best.map((p) => ({ p, certificate })) };
  }

  report(): Record<string, number> {
    return { starts: this.restart };
  }

  snapshot(): Snapshot {
    const { restart, lower, upper, best } = this;
    return {
      tensors: best ? { best: Float64Array.from(best.flatMap((p) => Array.from(p))) } : {},
      state: { restart, lower: best ? lower : null, upper: upper ?? null },
    };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("naive mean field", snapshot);
    const counts = this.tables.cardinalities;
    this.restart = kept.count("restart");
    if (snapshot.state.upper !== null) this.upper = kept.number("upper");
    if (!kept.has("best")) return;
    this.lower = kept.number("lower");
    const all = kept.floats(
      "best",
      counts.reduce((sum, count) => sum + count, 0),
    );
    let at = 0;
    this.best = counts.map((count) => all.slice(at, (at += count)));
  }
}
