import type { Snapshot } from "../../engine/contract/index.ts";
import { declare } from "../../engine/errors/options.ts";
import { stream } from "../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer } from "../parts/algorithm.ts";
import { climb } from "../parts/climb.ts";
import { Incumbent } from "../parts/incumbent.ts";
import { JointState } from "../parts/joint-state.ts";
import { LogTables } from "../parts/log-tables.ts";
import { type Buckets, miniBucketPass } from "../parts/mini-bucket-pass.ts";
import { PartRun } from "../parts/part-run.ts";
import { positiveState } from "../parts/positive-state.ts";
import { bucketsOf } from "../parts/quick-bound.ts";
import type { Component } from "../parts/reduction.ts";
import { conditioned } from "./cutset.ts";
import { logZBetween, StateBounds, widthOf } from "./state-bounds.ts";

/** Options of `miniBuckets`. */
export interface MiniBucketsOptions {
  /**
   * log2 of the largest table size, in entries. For Booleans this is the number of variables. Default 10; a whole
   * number from 1 to 28.
   */
  iBound?: number;
}

/**
 * Weighted mini-bucket elimination: computes proved bounds on the partition function, on every marginal, and on the
 * value of the most probable state. Tables that would have more than 2^`iBound` entries are split. The inequalities are
 * in mini-bucket-pass.ts.
 *
 * The lower bound on ln Z is the better of two: Hölder's reverse inequality, and the exact sum over the states that
 * agree with a good state on a cutset. If zeros make the first bound −∞, only the second bound is left. Marginals
 * follow from bounds on Z for each state of the variable. For "map", states are read off the upper bound and improved
 * one variable at a time. The best of these states is also used for conditioning.
 *
 * Tables of 2, 4, 16, 256 … entries come first, so that there is an early answer. The run ends when no table has to be
 * split, because the result is then exact. Bounds also hold in floating point, because possible rounding errors are
 * added to them. Tasks: all. Source: Dechter and Rish 2003; Liu and Ihler 2011.
 */
export const miniBuckets = /* @__PURE__ */ declare<MiniBucketsOptions, InferenceAlgorithm>(
  { name: "miniBuckets", options: { iBound: { low: 1, high: 28, integer: true } } },
  (options) => {
    const { iBound = 10 } = options;
    return {
      name: "miniBuckets",
      verb: "infer",
      tasks: ["marginals", "partition", "map"],
      toJSON: () => ({ algorithm: "miniBuckets", iBound }),
      prepare: LogTables.making,
      start: (part, plan) => new MiniBuckets(part, plan, iBound),
    };
  },
);

class MiniBuckets extends PartRun {
  private readonly plan: InferencePlan;
  private readonly tables: LogTables;
  private readonly found: Incumbent;
  /**
   * Limits of the passes in ascending order (`limits`), index of the current one (`level`), and next variable for
   * "marginals" (`place`).
   */
  private readonly limits: readonly number[];
  private level = 0;
  private place = 0;
  private exact = false;
  private lower = -Infinity;
  private upper = Infinity;
  private readonly bounds: readonly StateBounds[];

  constructor(part: Component, plan: InferencePlan, iBound: number) {
    super();
    this.plan = plan;
    this.tables = LogTables.of(part);
    const { cardinalities } = part;
    this.found = new Incumbent(cardinalities.length);
    // Each variable can have a table of this size, because states are read off the tables.
    const most = Math.max(1, widthOf(plan.memory / (cardinalities.length + 8)));
    const last = Math.min(iBound, most);
    const limits: number[] = [];
    for (let limit = 1; limit < last; limit *= 2) limits.push(limit);
    this.limits = [...limits, last];
    this.bounds = plan.task === "marginals" ? cardinalities.map((count) => new StateBounds(count)) : [];
  }

  protected *work(): Generator<void> {
    const { tables, found, limits, plan } = this;
    const buckets = yield* bucketsOf(tables);
    if (!found.states) yield* this.search();
    if (found.impossible) return;
    for (; this.level < limits.length && !this.exact; this.level++) {
      const limit = limits[this.level];
      // Sums need these tables as well, because the state read off the bound on the largest product is good to
      // condition on.
      const settled = yield* this.largest(buckets, limit);
      this.exact = found.impossible || (settled && plan.task === "map");
      if (this.exact || plan.task === "map") continue;
      if (plan.task === "partition") yield* this.partition(buckets, limit);
      else yield* this.marginals(buckets, limit);
      this.place = 0;
    }
  }

  /** Searches for a state to condition on. */
  private *search(): Generator<void> {
    const states = yield* positiveState(this.tables, stream(this.plan.seed, "mini-buckets").at(0));
    if (states === "impossible") this.found.impossible = true;
    if (states instanceof Int32Array) yield* this.offer(states);
  }

  private *offer(states: Int32Array): Generator<void> {
    const joint = new JointState(this.tables, states);
    yield* climb(joint);
    this.found.offer(joint);
  }

  /** Bounds the largest product. Returns whether the best state is known. */
  private *largest(buckets: Buckets, limit: number): Generator<void, boolean> {
    const { found } = this;
    const { values, exact, rounding, states } = yield* miniBucketPass(buckets, { kind: "largest", limit, decode: true });
    if (!found.bound || values[0] < found.bound.value) found.bound = { value: values[0], rounding };
    yield* this.offer(states!);
    if (values[0] === -Infinity) found.impossible = true;
    return exact || found.optimal;
  }

  private *partition(buckets: Buckets, limit: number): Generator<void> {
    const { values, exact, rounding } = yield* miniBucketPass(buckets, { kind: "upper", limit });
    this.upper = Math.min(this.upper, values[0]);
    this.exact = exact || values[0] === -Infinity;
    if (this.exact) this.lower = this.upper = values[0] - (values[0] > -Infinity ? rounding : 0);
    else for (const lower of yield* this.lowers(buckets, limit, false)) this.lower = Math.max(this.lower, lower[0]);
  }

  private *marginals({ cardinalities, tables, order }: Buckets, limit: number): Generator<void> {
    for (; this.place < cardinalities.length; this.place++) {
      const own = this.bounds[this.place];
      if (own.exact) continue;
      const buckets = { cardinalities, tables, order: [...order.filter((variable) => variable !== this.place), this.place] };
      const { values, exact } = yield* miniBucketPass(buckets, { kind: "upper", limit, keep: true });
      if (exact) own.upper.set(values);
      else own.reduce(values);
      own.exact = exact;
      if (own.upper.every((value) => value === -Infinity)) {
        this.found.impossible = this.exact = true;
        return;
      }
      if (!exact) for (const lower of yield* this.lowers(buckets, limit, true)) own.raise(lower);
      yield;
    }
    this.exact = this.bounds.every(({ exact }) => exact);
  }

  private *lowers(buckets: Buckets, limit: number, keep: boolean): Generator<void, Float64Array[]> {
    const { states } = this.found;
    const all = [(yield* miniBucketPass(buckets, { kind: "lower", limit, keep })).values];
    if (states) {
      const part = conditioned(buckets, states, limit, keep);
      all.push((yield* miniBucketPass(part, { kind: "lower", limit, keep })).values);
    }
    return all;
  }

  answer(): PartAnswer | undefined {
    const { found, plan, limits, level, exact, bounds } = this;
    const made = exact ? "without splits" : `tables of at most 2^${limits[Math.max(0, level - 1)]} states`;
    const method = `mini-bucket elimination: ${made}`;
    if (found.impossible)
      return plan.task === "map" ? found.answer(method) : { method, logZ: { value: -Infinity, certificate: { exact: true } } };
    if (plan.task === "map") return found.answer(method);
    if (plan.task === "partition") {
      if (this.upper === Infinity) return undefined;
      if (exact) return { method, logZ: { value: this.upper, certificate: { exact: true } } };
      return { method, logZ: logZBetween(this.lower, this.upper) };
    }
    if (level === 0 && this.place === 0) return undefined;
    const totals = bounds.map(({ total }) => total);
    const lower = totals.reduce((high, total) => Math.max(high, total.lower), -Infinity);
    const upper = totals.reduce((low, total) => Math.min(low, total.upper), Infinity);
    const logZ = exact ? ({ value: upper, certificate: { exact: true } } as const) : logZBetween(lower, upper);
    return { method, marginals: bounds.map(({ marginal }) => marginal), ...(lower > -Infinity || exact ? { logZ } : {}) };
  }

  report(): Record<string, number> {
    return { passes: this.level };
  }

  snapshot(): Snapshot {
    const { level, place, exact, lower, upper, bounds } = this;
    const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
    const { tensors, state } = this.found.snapshot({ level, place, exact, lower: finite(lower), upper: finite(upper) });
    const flat = (of: (one: StateBounds) => Float64Array): Float64Array =>
      Float64Array.from(bounds.flatMap((one) => Array.from(of(one))));
    if (bounds.length === 0) return { tensors, state };
    const marked = Uint32Array.from(bounds, (one) => Number(one.exact));
    return { tensors: { ...tensors, lowers: flat((one) => one.lower), uppers: flat((one) => one.upper), exact: marked }, state };
  }

  restore(snapshot: Snapshot): void {
    const kept = this.found.restore(snapshot);
    this.level = kept.count("level", 0, this.limits.length);
    this.place = kept.count("place", 0, this.tables.cardinalities.length);
    this.exact = kept.flag("exact");
    this.lower = kept.numberOr("lower", -Infinity);
    this.upper = kept.numberOr("upper", Infinity);
    if (this.bounds.length === 0) return;
    const size = this.bounds.reduce((sum, { lower }) => sum + lower.length, 0);
    const [lowers, uppers] = [kept.floats("lowers", size), kept.floats("uppers", size)];
    const exact = kept.tensor("exact", Uint32Array, this.bounds.length);
    let at = 0;
    this.bounds.forEach((one, variable) => {
      one.exact = exact[variable] === 1;
      one.lower.set(lowers.subarray(at, at + one.lower.length));
      one.upper.set(uppers.subarray(at, (at += one.upper.length)));
    });
  }
}
