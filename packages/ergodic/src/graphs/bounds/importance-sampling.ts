import type { Certificate, Snapshot } from "../../engine/contract/index.ts";
import { declare } from "../../engine/errors/options.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { log } from "../../engine/numbers/log.ts";
import { stream } from "../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer } from "../parts/algorithm.ts";
import { eliminationOrders } from "../parts/elimination-orders.ts";
import { type LogTable, LogTables } from "../parts/log-tables.ts";
import { PartRun } from "../parts/part-run.ts";
import type { Component } from "../parts/reduction.ts";
import { spreadOf } from "../parts/spread.ts";
import { judged, type Weighed } from "./judge.ts";
import { answerFrom, keptAnswer } from "./kept-answer.ts";
import { Proposal } from "./proposal.ts";
import { WeightSums } from "./weight-sums.ts";

/** Options of `importanceSampling`. */
export interface ImportanceSamplingOptions {
  /**
   * Confidence level: an interval contains the true value with at least this probability. Default 0.999; from 0.5 to
   * 0.999999.
   */
  level?: number;
  /**
   * Interval width at which the run ends. For "marginals", the interval of ln Z and the intervals of all probabilities
   * must have at most this width. Default 0.01; > 0.
   */
  width?: number;
  /** Largest number of joint states drawn from each proposal. Default 200000; a whole number >= 1000. */
  samples?: number;
}

/**
 * log2 of the joint states per mini-bucket in the first proposals, and the increment for each further pair of
 * proposals.
 */
const FIRST_LIMIT = 8;
const LIMIT_STEP = 4;
/** Largest limit. Proposals with more than about 2^26 states cost more than they gain. */
const LAST_LIMIT = 24;
/** Number of joint states drawn from each proposal, except from the last proposals. */
const EARLY_SAMPLES = 4000;
/** Largest number of log weights stored for k̂. */
const KEPT = 20000;
/** Width above which an interval of ln Z carries little information, so that k̂ can say more. */
const WIDE = 1;
/**
 * Search budget for elimination orders, as a share of the cost of exact inference. (Exact inference is far too
 * expensive for these graphs.)
 */
const ORDER_EFFORT = 1e-4;
/**
 * Limits of the search: total number of operations, and number of operations per second of the time limit. The search
 * takes about a twentieth of the time limit.
 */
const MOST_ORDER_OPERATIONS = 1e9;
const ORDER_OPERATIONS = 4e7;
/** Offset of the stretch counter while the search for orders runs. No search takes this many stretches. */
export const ORDERS = 2 ** 40;
/** Number of states visited between two yields: a few milliseconds of work. */
const PAUSE_STATES = 40_000;
/** Number of draws before interval widths are first checked. The number doubles for each further check. */
const FIRST_LOOK = 1000;
/**
 * Largest number of intervals from which the answer is chosen. At every limit, every check adds an interval for each of
 * the two proposals.
 */
const LOOKS = 128;

/**
 * Importance sampling from weighted mini-buckets (proposal.ts), for graphs too wide for elimination. For independent
 * draws from q, Z = E_q[w] and p(x_i = s) = E_q[w; x_i = s] / Z, where w = Π_f φ_f(x) / q(x).
 *
 * No weight exceeds the proved bound Z⁺, so the empirical Bernstein inequality gives intervals that hold for every
 * distribution (weight-sums.ts). If the interval of ln Z is wider than 1, the certificate can be { khat, ess } by PSIS
 * instead. This certificate requires that k̂ is small enough and that a second proposal with another elimination order
 * agrees. Otherwise, the certificate is the wide interval. Mini-buckets begin with 2^8 states and grow by factors of 16
 * as memory permits. Tasks: "marginals", "partition". Source: Liu, Fisher and Ihler 2015; Vehtari et al. 2024 for k̂.
 */
export const importanceSampling = /* @__PURE__ */ declare<
  ImportanceSamplingOptions,
  InferenceAlgorithm & { start(part: Component, plan: InferencePlan): ImportanceSampling }
>(
  {
    name: "importanceSampling",
    options: { level: { low: 0.5, high: 0.999999 }, width: { low: 0, open: true }, samples: { low: 1000, integer: true } },
  },
  (options) => {
    const { level = 0.999, width = 0.01, samples = 200000 } = options;
    return {
      name: "importanceSampling",
      verb: "infer",
      tasks: ["marginals", "partition"],
      toJSON: () => ({ algorithm: "importanceSampling", level, width, samples }),
      prepare: LogTables.making,
      start: (part, plan) => new ImportanceSampling(part, plan, { level, width, samples }),
    };
  },
);

/** A proposal with the weights of its draws. */
interface Arm extends Weighed {
  readonly proposal: Proposal;
  readonly logWeights: number[];
}

/** Run of `importanceSampling` on a part. */
export class ImportanceSampling extends PartRun {
  protected static readonly typeName: string = "ImportanceSampling";
  private readonly part: Component;
  private readonly plan: InferencePlan;
  private readonly options: Required<ImportanceSamplingOptions>;
  private readonly tables: LogTables;
  /** log2 of the joint states per mini-bucket of the current proposals. */
  limit = FIRST_LIMIT;
  /**
   * Number of stretches of work since the current proposals were started. The counter starts at −ORDERS for the search
   * for orders.
   */
  stretches = -ORDERS;
  private drawn = 0;
  private arms: readonly Arm[] = [];
  /** Best answer from the earlier proposals. */
  private best: PartAnswer | undefined;

  constructor(part: Component, plan: InferencePlan, options: Required<ImportanceSamplingOptions>) {
    super();
    this.part = part;
    this.plan = plan;
    this.options = options;
    this.tables = LogTables.of(part);
  }

  protected *work(): Generator<void> {
    for (const _ of this.limits()) {
      this.stretches++;
      yield;
    }
  }

  private *limits(): Generator<void> {
    const { part, plan, options } = this;
    const scopes = part.tables.map(({ scope }) => scope);
    const orders: (readonly number[])[] = [];
    const most =
      plan.seconds === undefined ? MOST_ORDER_OPERATIONS : Math.min(MOST_ORDER_OPERATIONS, plan.seconds * ORDER_OPERATIONS);
    for (const arm of [0, 1]) {
      const search = eliminationOrders(part.cardinalities, scopes, { seed: plan.seed + arm, effort: ORDER_EFFORT, most });
      orders.push((yield* search).order);
    }
    // Both proposals can have a table of this size for each variable. Building the proposals takes as much memory
    // again.
    const widest = Math.min(LAST_LIMIT, log(plan.memory / 8 / 4 / part.cardinalities.length) / Math.LN2);
    for (; ; this.limit += LIMIT_STEP) {
      this.stretches = 0;
      const arms: Arm[] = [];
      for (const order of orders) {
        const proposal = yield* Proposal.make(this.tables, order, this.limit);
        const sums = new WeightSums(part.cardinalities, proposal.logBound, plan.task === "marginals");
        arms.push({ proposal, sums, logWeights: [] });
      }
      this.arms = arms;
      const last = this.limit + LIMIT_STEP > widest || arms.every(({ proposal }) => proposal.exact);
      yield* this.sample(last ? options.samples : EARLY_SAMPLES);
      this.best = this.answer();
      this.arms = [];
      if (last || (this.best && spreadOf(this.best) <= options.width)) return;
    }
  }

  private *sample(samples: number): Generator<void> {
    const { tables, plan, options, arms } = this;
    const streams = arms.map((_, arm) => stream(plan.seed, "importance sampling", this.limit, arm));
    const states = new Int32Array(tables.cardinalities.length);
    // A draw visits every state of every variable.
    const visits = tables.cardinalities.reduce((sum, count) => sum + count, 0);
    const pause = Math.max(1, Math.floor(PAUSE_STATES / visits));
    let look = FIRST_LOOK;
    for (let n = 0; n < samples; n++) {
      for (const [arm, { proposal, sums, logWeights }] of arms.entries()) {
        const logQ = proposal.draw(streams[arm].at(n), states);
        const logWeight = logQ === -Infinity ? logQ : valueAt(tables.tables, states) - logQ;
        sums.add(logWeight, states);
        if (n < KEPT) logWeights.push(logWeight);
        this.drawn++;
      }
      if (n % pause === pause - 1) yield;
      if (n + 1 < look) continue;
      look *= 2;
      const found = this.answer();
      if (found && spreadOf(found) <= options.width) return;
    }
  }

  answer(): PartAnswer | undefined {
    const found = this.arms.length > 0 && this.arms.every(({ sums }) => sums.count >= 100) ? this.now() : undefined;
    if (!found || !this.best) return found ?? this.best;
    return spreadOf(found) <= spreadOf(this.best) ? found : this.best;
  }

  /** Returns the answer from the proposal with the narrower interval. */
  private now(): PartAnswer {
    const { arms, plan, options, part } = this;
    // The answer uses the narrowest of all intervals checked, so all of them must hold simultaneously.
    const delta = (1 - options.level) / LOOKS;
    const totals = arms.map(({ sums }) => sums.total(delta));
    const spread = totals.map(({ low, high }) => high - low);
    const chosen = spread[1] < spread[0] ? 1 : 0;
    const { sums, proposal } = arms[chosen];
    const total = totals[chosen];
    const method = `importance sampling: ${sums.count} draws from mini-buckets of at most 2^${this.limit} states`;
    if (proposal.logBound === -Infinity) return { method, logZ: { value: -Infinity, certificate: { exact: true } } };
    const tail = spread[chosen] > WIDE || total.value === -Infinity ? judged(arms, chosen) : undefined;
    // If all draws have weight 0, only the upper end of the interval is finite.
    const value = total.value > -Infinity ? total.value : total.high;
    const certificate: Certificate = tail ?? intervalOf(total.low, total.high, options.level);
    const logZ = { value, certificate };
    if (plan.task === "partition") return { method, logZ };
    const marginals = part.cardinalities.map((count, variable) => {
      if (total.value === -Infinity) {
        const none = "no state with a positive product was drawn";
        return { p: new Float64Array(count).fill(1 / count), certificate: { none } };
      }
      const { p, intervals } = sums.marginal(variable, delta);
      const wide = intervals.some(([low, high]) => high - low > 0.5);
      return { p, certificate: tail && wide ? tail : { interval: intervals, level: options.level } };
    });
    return { method, logZ, marginals, ...(total.value === -Infinity ? { blank: true } : {}) };
  }

  report(): Record<string, number> {
    return { draws: this.drawn };
  }

  /** Snapshots do not store draws from the current proposals, so a restored run repeats them. */
  snapshot(): Snapshot {
    const { limit, best } = this;
    const { tensors, state } = best ? keptAnswer(best) : { tensors: {}, state: null };
    return { tensors, state: { limit, best: state } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("importance sampling", snapshot);
    this.limit = kept.count("limit", FIRST_LIMIT, LAST_LIMIT);
    if (kept.state.best === null) return;
    this.best = answerFrom({ tensors: kept.tensors, state: kept.object("best") }, this.part.cardinalities);
  }
}

function intervalOf(low: number, high: number, level: number): Certificate {
  if (low === -Infinity) return { none: `no lower bound was found; with probability ${level}, ln Z is at most ${high}` };
  return { interval: [low, high], level };
}

/** Returns ln of the tables' product. */
function valueAt(tables: readonly LogTable[], states: Int32Array): number {
  let sum = 0;
  for (const { scope, shape, values } of tables) {
    let at = 0;
    for (let k = 0; k < scope.length; k++) at = at * shape[k] + states[scope[k]];
    sum += values[at];
  }
  return sum;
}
