import type { Advance, Progression, Snapshot, Tensor } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import * as field from "../../engine/memory/fields.ts";
import { PARAMETER_SCALE } from "../../engine/numbers/fixed-point.ts";
import { type Parts, refuseMisfits } from "../../engine/optimise/fits.ts";
import { CURRENT_RATE, type Lane, Lanes } from "../../engine/optimise/lanes.ts";
import { stream } from "../../engine/random/stream.ts";
import { later } from "../../engine/threads/later.ts";

/** Starts stochastic descent. @throws CapabilityError if the parts of the run do not fit together */
export function startDescent(parts: Parts, engine: Engine): Descent {
  refuseMisfits(parts);
  return new Descent(parts, engine);
}

const scheduleKinds = { ordered: 0, shuffled: 1, blocks: 2, replacement: -1 };

/**
 * Stochastic gradient descent with any step rule, inside WebAssembly. Each update picks a batch of rows: p ← p −
 * step(mean gradient over the batch).
 *
 * Minibatches, Hogwild (racing lanes on one copy), averaged replicas, control variates (SVRG, SAGA, SAG), and quantised
 * data and parameters are settings of one inner loop (kernels/engine/optimise/descend.ts). Sparse rows update only
 * their own coordinates. Some rules need all coordinates, because they compute a reduction that does not vanish at g =
 * 0. Gradients are then made dense. If a coordinate is touched, its penalty is divided by the probability of being
 * touched. This keeps the penalty unbiased.
 * Needs: gradients of rows. Sources: Robbins, Monro 1951; Niu et al. 2011 (racing, shared penalties); Leblond et al.
 * 2017 (sparse variance reduction). Differs from other implementations: the moments of untouched coordinates do not
 * change, and they are not corrected later for the skipped updates (see each rule).
 */
export class Descent implements Progression {
  readonly stepsPerEpoch: number;
  readonly updatesPerStep: number;
  readonly converged = false;
  step = 0;
  updates = 0;
  readonly parts: Parts;
  readonly engine: Engine;
  readonly lanes: Lanes;
  private readonly stepsPerAverage: number;
  /** Epoch whose row order is current; −1 if there is none. */
  orderedEpoch = -1;
  /** Number of updates per lane in the earlier run from which the optimiser state was copied. */
  before = 0;

  constructor(parts: Parts, engine: Engine) {
    this.parts = parts;
    this.engine = engine;
    this.lanes = new Lanes(parts, engine);
    this.stepsPerEpoch = Math.max(...this.lanes.list.map((lane) => this.stepsOf(lane)));
    this.updatesPerStep = this.lanes.list.length;
    this.stepsPerAverage =
      this.lanes.copies.length > 1 ? Math.max(1, Math.round(parts.plan.averageEvery * this.stepsPerEpoch)) : Infinity;
  }

  async advance(steps: number): Promise<Advance> {
    const inEpoch = this.step % this.stepsPerEpoch;
    const epoch = (this.step - inEpoch) / this.stepsPerEpoch;
    if (this.orderedEpoch !== epoch) this.order(epoch);
    if (inEpoch === 0) await this.snapshotMean(epoch);
    const count = Math.min(steps, this.stepsPerEpoch - inEpoch, this.stepsPerAverage - (this.step % this.stepsPerAverage));
    const made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    const calls: { kernel: string; args: number[] }[] = [];
    const { batch } = this.lanes;
    for (const lane of this.lanes.list) {
      const perEpoch = this.stepsOf(lane);
      const from = Math.min(inEpoch, perEpoch);
      const to = Math.min(inEpoch + count, perEpoch);
      if (from === to) continue;
      calls.push({ kernel: "descend", args: [lane.pointer, epoch * perEpoch + from, from * batch, to - from] });
      made.updates += to - from;
      made.rows += Math.min(to * batch, lane.rows) - from * batch;
    }
    for (const sum of await this.run(calls)) made.lossSum += sum;
    this.lanes.bringTogether();
    this.step += count;
    this.updates += made.updates;
    // Check each copy before averaging, because the average of a saturated parameter can lie within its range.
    if (this.step % this.stepsPerEpoch === 0) this.refuseSaturation();
    if (this.step % this.stepsPerAverage === 0) await this.average();
    return made;
  }

  /**
   * Throws if a 16-bit parameter has reached a limit of its range. Without this error, the parameter would silently
   * stay at that limit.
   */
  private refuseSaturation(): void {
    if (this.parts.plan.precision.model !== "i16") return;
    const stored = this.lanes.copies.flatMap((copy) => [this.lanes.arrays(copy).get("parameters")!]);
    if (!stored.some((copy) => copy.some((p) => p === 32767 || p === -32768))) return;
    throw new ErgodicError(
      "fit",
      `a parameter reached ±${32768 * PARAMETER_SCALE}, the end of the range of 16-bit parameters; standardise the columns (and scale the target), or keep the model in floats, precision: "f32" or "i8"`,
      "MODEL_SATURATED",
    );
  }

  parameters(): Float64Array {
    const { copies } = this.lanes;
    const mean = this.lanes.evaluationPoint(copies[0]);
    if (copies.length === 1) return mean;
    for (let i = 0; i < mean.length; i++) mean[i] /= copies.length;
    for (const copy of copies.slice(1)) {
      const point = this.lanes.evaluationPoint(copy);
      for (let i = 0; i < mean.length; i++) mean[i] += point[i] / copies.length;
    }
    return mean;
  }

  report(): Record<string, number> {
    const { rule, pointer } = this.lanes.list[0];
    const { memory } = this.engine;
    const search = memory.u32(pointer + field.LANE_SEARCH, 1)[0];
    if (search) return { rate: memory.f64(search + field.SEARCH_RATE_F64, 1)[0] };
    const at = rule?.program.scalars[CURRENT_RATE] ?? rule?.program.scalars.rate;
    return rule && at !== undefined ? { rate: memory.f64(rule.block + at, 1)[0] } : {};
  }

  snapshot(): Snapshot {
    const { memory } = this.engine;
    const tensors: Record<string, Tensor> = {};
    this.lanes.copies.forEach((copy, c) => {
      for (const [name, view] of this.lanes.arrays(copy)) tensors[`${name}.${c}`] = view.slice();
    });
    this.lanes.list.forEach((lane, l) => {
      for (const [name, view] of this.scalars(lane)) tensors[`${name}.${l}`] = view.slice();
    });
    const { table } = this.lanes;
    if (table) tensors.table = memory.f64(table.pointer, table.count).slice();
    return { tensors, state: { step: this.step, updates: this.updates, before: this.before } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the descent", snapshot);
    this.lanes.copies.forEach((copy, c) => {
      for (const [name, view] of this.lanes.arrays(copy)) kept.into(view, `${name}.${c}`);
    });
    this.lanes.list.forEach((lane, l) => {
      for (const [name, view] of this.scalars(lane)) kept.into(view, `${name}.${l}`);
    });
    const { table } = this.lanes;
    if (table) kept.into(this.engine.memory.f64(table.pointer, table.count), "table");
    this.step = kept.count("step");
    this.updates = kept.count("updates");
    this.continueAfter(kept.state.before === undefined ? 0 : kept.count("before"));
    this.orderedEpoch = -1;
  }

  /**
   * Continues the rules' update counters after `before` updates of an earlier run, because the moments include those
   * updates.
   */
  continueAfter(before: number): void {
    this.before = before;
    const racing = this.parts.plan.replicas === "shared";
    for (const [l, { pointer }] of this.lanes.list.entries())
      this.engine.memory.f64(pointer + field.LANE_T_FIRST_F64, 1)[0] = before + (racing ? l + 1 : 1);
  }

  dispose(): void {
    this.lanes.dispose();
  }

  private stepsOf(lane: Lane): number {
    return Math.ceil(lane.rows / this.lanes.batch);
  }

  private run(calls: { kernel: string; args: number[] }[]): Promise<number[]> {
    const { workers, deterministic } = this.parts.plan;
    return this.engine.run(calls, { workers: Math.max(1, Math.min(workers, calls.length)), deterministic });
  }

  /**
   * Scalars that a lane's rule or line search changes with each update. Pointers are excluded, because they are valid
   * only in this process.
   */
  scalars({ rule, pointer, decay }: Lane): Map<string, Tensor> {
    const { memory } = this.engine;
    const views = new Map<string, Tensor>();
    const search = memory.u32(pointer + field.LANE_SEARCH, 1)[0];
    if (search) views.set("search", memory.f64(search + field.SEARCH_RATE_F64, 1));
    if (decay) {
      views.set("scale", memory.f64(decay + field.DECAY_SCALE_F64, 1));
      views.set("rounding", memory.u32(decay + field.DECAY_RANDOM, 4));
    }
    if (!rule) return views;
    for (const [name, at] of Object.entries(rule.program.scalars)) views.set(`scalar.${name}`, memory.f64(rule.block + at, 1));
    views.set("random", memory.u32(rule.block + rule.program.random, 4));
    return views;
  }

  /** Orders the rows of an epoch. */
  private order(epoch: number): void {
    const { schedule, blockRows, seed, deterministic } = this.parts.plan;
    const kind = scheduleKinds[schedule];
    const shuffle = this.engine.kernel("shuffle", deterministic);
    if (this.lanes.sharedOrder) {
      const [low, high] = stream(seed, "rows").key;
      shuffle(this.lanes.sharedOrder, 0, this.parts.problem.rowCount, kind, blockRows, low, high, epoch);
    } else if (kind >= 0) {
      for (const { order, first, rows, key } of this.lanes.list)
        shuffle(order, first, rows, kind, blockRows, key[0], key[1], epoch);
    }
    this.orderedEpoch = epoch;
  }

  /**
   * For SVRG, computes the derivative of every row at the current parameters, and the mean gradient from all
   * derivatives.
   */
  private async snapshotMean(epoch: number): Promise<void> {
    const { variance, problem, plan } = this.parts;
    if (variance?.name !== "svrg" || epoch % variance.every !== 0) return;
    const { memory } = this.engine;
    const { parameterCount } = problem;
    const racing = plan.replicas === "shared";
    const lanes = racing ? this.lanes.list.slice(0, 1) : this.lanes.list;
    const calls = lanes.map(({ sweep, copy, first, rows }) => {
      memory.f64(sweep!.accumulator, parameterCount).fill(0);
      const { gradientSlot, model, pieces } = sweep!.binding;
      const [from, to] = racing ? [0, problem.rowCount] : [first, first + rows];
      const bytes = this.lanes.precision === "f64" ? 8 : 4;
      return {
        kernel: "sweepGradient",
        args: [gradientSlot, model, copy.parameters, sweep!.listed, from, to, sweep!.record, pieces, sweep!.accumulator, bytes],
      };
    });
    await this.run(calls);
    for (const { sweep, copy, rows } of lanes) {
      const total = memory.f64(sweep!.accumulator, parameterCount);
      const mean = memory[this.lanes.precision](copy.mean, parameterCount);
      const count = racing ? problem.rowCount : rows;
      for (let i = 0; i < parameterCount; i++) mean[i] = total[i] / count;
    }
  }

  /** Sets all replicas to their mean, including the rules' states. */
  private async average(): Promise<void> {
    const { averageReplicas } = await later(() => import("../../engine/optimise/average.ts"));
    const { lanes, engine, parts } = this;
    lanes.settle();
    // Each replica's mean gradient covers only the replica's own rows.
    const views = (c: number) => [...lanes.arrays(lanes.copies[c])].filter(([name]) => name !== "mean").map(([, view]) => view);
    averageReplicas(lanes.copies.length, views, engine, parts.plan.deterministic);
  }
}
