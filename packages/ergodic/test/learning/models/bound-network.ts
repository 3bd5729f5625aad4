/**
 * A network bound to a dataset, with its kernels called one by one. The interpreter and explicit losses give the
 * expected results.
 */

import { gradientsOf, input, interpret } from "../../../src/engine/compiler/array/index.ts";
import { mul, sum } from "../../../src/engine/compiler/index.ts";
import type { LaneBinding, Plan } from "../../../src/engine/contract/index.ts";
import type { Dataset } from "../../../src/engine/data/dataset.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { type Engine, openEngine } from "../../../src/engine/memory/engine.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { chooseLoss } from "../../../src/learning/models/choose-loss.ts";
import type { NetworkModel } from "../../../src/learning/models/neural/network.ts";
import type { NetworkProblem } from "../../../src/learning/models/neural/problem.ts";
import { outputsOf } from "../../../src/learning/models/neural/programs.ts";

export const planOf = (given: Partial<Plan> = {}): Plan => ({
  workers: 1,
  replicas: 1,
  data: "sharded",
  precision: { data: "f64", model: "f64" },
  schedule: "ordered",
  blockRows: 64,
  batch: 8,
  averageEvery: 1,
  deterministic: false,
  seed: 7,
  ...given,
});

export interface Evaluated {
  readonly loss: number;
  /** Gradients by parameter path. */
  readonly gradient: Readonly<Record<string, readonly number[]>>;
  /** Running statistics afterwards, updated or not. */
  readonly states: Readonly<Record<string, readonly number[]>>;
}

export class BoundNetwork implements Disposable {
  readonly engine: Engine;
  readonly problem: NetworkProblem;
  readonly binding: LaneBinding;
  readonly data: Dataset;
  readonly plan: Plan;
  readonly batch: number;
  readonly lane: number;
  private readonly model: NetworkModel;
  private readonly arena: Arena;
  private readonly parameters: number;
  private readonly rows: number;
  private readonly release: () => void;

  static async open(model: NetworkModel, data: Dataset, plan: Partial<Plan> = {}, lane = 0): Promise<BoundNetwork> {
    return new BoundNetwork(await openEngine(), model, data, planOf(plan), lane);
  }

  constructor(engine: Engine, model: NetworkModel, data: Dataset, plan: Plan, lane: number) {
    const prepared = model.prepare(data, plan);
    this.engine = engine;
    this.model = model;
    this.plan = plan;
    this.lane = lane;
    this.data = prepared.dataset;
    this.release = () => prepared.dispose();
    this.problem = model.bind(this.data, plan, engine);
    this.batch = plan.batch as number;
    this.binding = this.problem.bind({ batch: this.batch, buffered: false, purpose: "test", lane });
    this.arena = new Arena(engine.memory, "test");
    this.parameters = this.arena.take(this.problem.parameterCount * 8);
    this.rows = this.arena.take(4 * this.batch);
  }

  get precision(): "f32" | "f64" {
    return this.plan.precision.model === "f64" ? "f64" : "f32";
  }

  /**
   * Irregular parameters, with variances above 0. They are rounded to float32, so that both precisions start from equal
   * numbers.
   */
  irregular(): Float64Array {
    const { layout, parameterCount } = this.problem;
    const all = new Float64Array(parameterCount);
    const draws = stream(3, "irregular").at(0);
    for (const { offset, size } of layout.parameters)
      for (let i = 0; i < size; i++) all[offset + i] = Math.fround(0.6 * draws.normal());
    for (const { offset, size } of layout.states)
      for (let i = 0; i < size; i++) all[offset + i] = Math.fround(0.5 + draws.uniform());
    return all;
  }

  setParameters(values: ArrayLike<number>): void {
    this.engine.memory[this.precision](this.parameters, values.length).set(values);
  }

  private list(rows: readonly number[], update: number): void {
    this.engine.memory.u32(this.rows, rows.length).set(rows);
    if (this.binding.updateAt !== undefined) this.engine.memory.f64(this.binding.updateAt, 1)[0] = update;
  }

  /** The mean loss alone, from the kernel for line searches. */
  objective(rows: readonly number[]): number {
    const kernel = this.engine.kernel("networkObjective", this.plan.deterministic);
    // The getter fills the slot on first access.
    if (this.binding.objectiveSlot === undefined) throw new Error("no objective");
    this.engine.memory.u32(this.rows, rows.length).set(rows);
    return kernel(this.binding.model, this.parameters, this.rows, rows.length);
  }

  gradient(rows: readonly number[], update = 0): Evaluated {
    const { memory } = this.engine;
    this.list(rows, update);
    const kernel = this.engine.kernel("networkGradient", this.plan.deterministic);
    const { model, pieces } = this.binding;
    const loss = kernel(model, this.parameters, this.rows, rows.length, 0, pieces);
    const piece = pieces + field.PIECES_FIRST;
    const [values, indices, count, offset] = memory.u32(piece, 4);
    const scale = memory.f64(piece + field.PIECE_SCALE_F64, 1)[0];
    if (memory.u32(pieces, 1)[0] !== 1 || indices !== 0 || offset !== 0 || scale !== 1 || count !== this.problem.trainedCount)
      throw new Error("a network gives its gradient as one dense piece");
    const { layout, parameterCount } = this.problem;
    const numbers = memory[this.precision](values, count);
    const after = memory[this.precision](this.parameters, parameterCount);
    const trained = layout.parameters.filter((p) => p.trained);
    return {
      loss,
      gradient: Object.fromEntries(trained.map((p) => [p.path, [...numbers.slice(p.offset, p.offset + p.size)]])),
      states: Object.fromEntries(layout.states.map((s) => [s.path, [...after.slice(s.offset, s.offset + s.size)]])),
    };
  }

  /**
   * The same by the interpreter. `loss` returns the value and slopes for a row's outputs and target, and `weight` the
   * weight of a row.
   */
  wanted(
    parameters: Float64Array,
    rows: readonly number[],
    { loss, weight = () => 1, update = 0 }: { loss: RowLoss; weight?: (row: number) => number; update?: number },
  ): Evaluated {
    const { batch, data, plan, problem } = this;
    const listed = Array.from({ length: batch }, (_, i) => rows[i % rows.length]);
    const chosen = chooseLoss("test", this.model.options.loss, data);
    const scale = data.rowShape && data.rowShape.length > 1 && this.model.options.standardise !== false ? imageScale(data) : none;
    const facts = {
      network: this.model.layers,
      loss: chosen.loss,
      outputs: chosen.outputs,
      rowShape: data.rowShape ?? [data.columnCount],
      scale,
    };
    const traced = outputsOf(facts, batch, true);
    const given: Record<string, ArrayLike<number>> = { x: listed.flatMap((row) => [...data.row(row)]) };
    for (const p of problem.layout.parameters) given[`parameter:${p.path}`] = parameters.subarray(p.offset, p.offset + p.size);
    for (const s of problem.layout.states) given[`state:${s.path}`] = parameters.subarray(s.offset, s.offset + s.size);
    const options = { key: stream(plan.seed, "network", this.lane).key as [number, number], update };
    const [z] = interpret([traced.z], given, options);
    let total = 0;
    const seed = new Float64Array(z.length);
    for (let i = 0; i < rows.length; i++) {
      const from = i * chosen.outputs;
      const { value, slopes } = loss([...z.slice(from, from + chosen.outputs)], data.target.values[rows[i]]);
      const share = weight(rows[i]) / rows.length;
      total += share * value;
      for (const [k, slope] of slopes.entries()) seed[from + k] = share * slope;
    }
    const trained = problem.layout.parameters.filter((p) => p.trained);
    const moved = traced.states.filter((s) => s.next !== undefined);
    const wrts = trained.map((p) => p.input);
    const slopes = gradientsOf(sum(mul(traced.z, input("seed", traced.z.shape))), wrts);
    const values = interpret([...slopes, ...moved.map((s) => s.next!)], { ...given, seed }, options);
    return {
      loss: total,
      gradient: Object.fromEntries(trained.map((p, i) => [p.path, [...values[i]]])),
      states: Object.fromEntries(
        problem.layout.states.map(({ path }) => {
          const i = moved.findIndex((s) => s.path === path);
          return [path, i < 0 ? Array.from(given[`state:${path}`]) : [...values[trained.length + i]]];
        }),
      ),
    };
  }

  [Symbol.dispose](): void {
    this.arena.dispose();
    this.binding.dispose();
    this.problem.dispose();
    this.release();
  }
}

/** ℓ and ∂ℓ/∂z of one row. */
export type RowLoss = (z: readonly number[], y: number) => { value: number; slopes: number[] };

const none = { mean: 0, factor: 1 };

/** Mean and standard deviation of all cells in float32, as a network standardises images. */
function imageScale(data: Dataset): { mean: number; factor: number } {
  const cells = Array.from({ length: data.rowCount }, (_, i) => [...data.row(i)]).flat();
  const mean = cells.reduce((a, b) => a + b, 0) / cells.length;
  const variance = cells.reduce((a, b) => a + b * b, 0) / cells.length - mean * mean;
  return { mean: Math.fround(mean), factor: Math.fround(1 / Math.sqrt(variance)) };
}

/** Largest difference of all numbers, relative to the largest number of the same kind (at least 1e-3). */
export function farthest(found: Evaluated, wanted: Evaluated): number {
  const off = (a: readonly number[], b: readonly number[]): number => {
    if (a.length !== b.length) return Number.POSITIVE_INFINITY;
    const size = Math.max(1e-3, ...b.map(Math.abs));
    return Math.max(0, ...a.map((x, i) => (Number.isFinite(x) ? Math.abs(x - b[i]) / size : Number.POSITIVE_INFINITY)));
  };
  const parts = [off([found.loss], [wanted.loss])];
  for (const kind of ["gradient", "states"] as const) {
    if (Object.keys(found[kind]).join() !== Object.keys(wanted[kind]).join()) return Number.POSITIVE_INFINITY;
    for (const [path, numbers] of Object.entries(wanted[kind])) parts.push(off(found[kind][path], numbers));
  }
  return Math.max(...parts);
}
