/**
 * A linear model bound to a dataset: z_k = Σ_j x_ij p_kj (+ intercept), with the mean loss over rows and penalties on
 * the coefficients.
 *
 * Parameters: `outputs` vectors of `stride` floats, one after another. Each vector consists of the columns, the
 * intercept, and padding that stays 0. Gradients of rows are computed by kernels/learning/linear.ts. Targets are
 * converted to the coding of the loss here, only once.
 */

import { add, type CompiledProgram, linkProgram, mul, type ProgramSpec, scalar, vector } from "../../../engine/compiler/index.ts";
import type {
  ColumnTarget,
  Coordinates,
  Curvature,
  Duals,
  LaneBinding,
  Penalty,
  Preconditioner,
  Problem,
  RowGradient,
} from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { ABSENT, PIECE_BYTES, PIECES_FIRST } from "../../../engine/memory/fields.ts";
import { checkRoom } from "../../../engine/memory/room.ts";
import { PARAMETER_SCALE } from "../../../engine/numbers/fixed-point.ts";
import { later } from "../../../engine/threads/later.ts";
import * as field from "../../fields.ts";
import { lossProgram, pointProgram } from "../loss.ts";
import { codedTarget, weightsOfRows } from "../rows-coded.ts";
import { linearCoordinates } from "./coordinates.ts";
import { linearColumns } from "./linear-columns.ts";
import type { LinearParts, LinearProblemOptions } from "./parts.ts";

const cap = (type: string): string => type[0].toUpperCase() + type.slice(1);

/** Distance between the parameters of successive outputs, as a number of floats. */
export const strideOf = (columnCount: number): number => Math.ceil((columnCount + 1) / 4) * 4;

/**
 * Bytes per parameter in training. These bytes hold the parameter, its state and its gradient in the engine, and
 * float64 copies outside the engine for evaluation, saving and prediction.
 */
const BYTES = 40;

const SEPARABLE =
  "the loss still falls as weights grow without end: the classes are separable, so no weights are the best; give l2";

export class LinearProblem implements Problem, RowGradient {
  protected static readonly typeName: string = "LinearProblem";
  readonly name = "linear";
  readonly rowCount: number;
  readonly columns: number;
  readonly stride: number;
  readonly parameterCount: number;
  readonly rowGradient: RowGradient = this;
  readonly derivativesPerRow: number;
  readonly sparse: boolean;
  readonly start: Float64Array | undefined;
  readonly penalty: Penalty;
  private readonly data: Dataset;
  private readonly engine: Engine;
  private readonly options: LinearProblemOptions;
  private readonly arena: Arena;
  /** Addresses of the coded targets and of the row weights: f64[rows]. */
  readonly target: number;
  readonly weights: number;

  constructor(data: Dataset, engine: Engine, options: LinearProblemOptions) {
    const { layout, columnCount } = data;
    const outputs = options.outputs > 1 ? ` of ${options.outputs} outputs` : "";
    const room = BYTES * strideOf(columnCount) * options.outputs;
    checkRoom("linear", `a model of ${columnCount} columns${outputs}`, room, undefined, "hash them to fewer: hash: 20");
    if (layout.offset && options.outputs > 1)
      throw new CapabilityError(
        "linear",
        `the rows have an offset, which is added to one output, but there are ${options.outputs}; leave it out, or predict two classes or a number`,
        "MODEL_OFFSET",
      );
    this.data = data;
    this.engine = engine;
    this.options = options;
    this.rowCount = data.rowCount;
    this.columns = data.columnCount + (options.intercept ? 1 : 0);
    this.stride = strideOf(data.columnCount);
    this.parameterCount = this.stride * options.outputs;
    this.derivativesPerRow = options.outputs;
    this.sparse = layout.format === "sparse";
    this.start = options.start;
    this.arena = new Arena(engine.memory, "linear model");
    this.target = codedTarget("linear", this.data, options, this.arena);
    const weighed = options.classWeights && weightsOfRows(data, options.classWeights);
    this.weights = weighed ? this.arena.copy(weighed) : layout.weights;
    let weights: Float64Array | undefined;
    const perParameter = this.perParameter.bind(this);
    this.penalty = {
      l1: options.l1,
      l2: options.l2,
      group: options.group,
      groups: options.groups,
      nonNegative: options.nonNegative,
      outputs: options.outputs,
      stride: this.stride,
      // Created only if there is a penalty, because it takes 8 MB for a million columns.
      get weights() {
        weights ??= perParameter((j) => (j < data.columnCount ? (options.penaltyWeights?.[j] ?? 1) : 0));
        return weights;
      },
    };
  }

  get parts(): NonNullable<Problem["parts"]> {
    const { columnCount, layout } = this.data;
    const { outputs, intercept } = this.options;
    const firsts = Array.from({ length: outputs }, (_, k) => k * this.stride);
    return {
      weights: firsts.map((first) => [first, columnCount]),
      ...(intercept ? { intercept: firsts.map((first) => [first + columnCount, 1, layout.one]) } : {}),
    };
  }

  get duals(): Duals {
    return { bind: (options) => later(() => import("./duals.ts")).then(({ bindDuals }) => bindDuals(this.ownParts(), options)) };
  }

  /** Hessian of each output, if outputs do not share a loss. */
  get curvature(): Curvature {
    return { bind: () => later(() => import("./hessian.ts")).then(({ bindHessian }) => bindHessian(this.ownParts())) };
  }

  /** Variables in which the columns are centred and uncorrelated, and classes have comparable curvature. */
  get preconditioner(): Preconditioner {
    return {
      bind: () =>
        later(() => import("./preconditioner.ts")).then(({ bindPreconditioner }) =>
          bindPreconditioner(this.ownParts(), this.penalty),
        ),
    };
  }

  /** Access to x by columns, for coordinate descent. */
  get byColumns(): ColumnTarget {
    return linearColumns(this.ownParts(), this.penalty);
  }

  /** Access to x for moves of single coordinates or groups. */
  get coordinates(): Coordinates {
    return linearCoordinates(this.ownParts(), this.penalty);
  }

  /**
   * For each parameter, the share of rows that contain its column. The shares are computed on request, because this
   * takes a pass over sparse data.
   */
  get density(): Float64Array {
    if (!this.sparse) return this.perParameter(() => 1);
    const counts = rowsByColumn(this.data, this.engine);
    return this.perParameter((j) => counts[j] / this.rowCount);
  }

  /** Largest curvature of a row's loss. Computed on request, because it takes a pass over the data. */
  get smoothness(): number | undefined {
    const { curvature } = this.options.loss;
    return curvature === undefined ? undefined : curvature * this.largestRow();
  }

  bind({ batch, buffered, purpose }: { batch: number; buffered: boolean; purpose: string }): LaneBinding {
    const { loss, outputs, model, deterministic } = this.options;
    const { layout } = this.data;
    const arena = new Arena(this.engine.memory, purpose);
    const bufferType = model === "f64" ? "f64" : "f32";
    const block = arena.take(field.LINEAR_BYTES);
    const set = (at: number, value: number): void => arena.set(block, at, value);
    this.describeData(set);
    set(field.LINEAR_BUFFERED, buffered ? 1 : 0);
    arena.setF64(block, field.LINEAR_DATA_SCALE_F64, layout.scale);
    arena.setF64(block, field.LINEAR_PARAMETER_SCALE_F64, model === "i16" ? PARAMETER_SCALE : 1);
    const z = arena.take(batch * outputs * 8);
    const dz = arena.take(batch * outputs * 8);
    const y = arena.take(batch * 8);
    const rowWeight = arena.take(batch * 8);
    set(field.LINEAR_Z, z);
    set(field.LINEAR_DZ, dz);
    set(field.LINEAR_Y, y);
    set(field.LINEAR_ROW_WEIGHT, rowWeight);
    this.bindLoss(arena, set, lossProgram(loss, outputs, this.weights !== 0, model !== "f64"), { z, dz, y, weight: rowWeight });
    this.bindPoint(arena, set);
    const useBuffer = batch > 1 || buffered;
    if (useBuffer) this.bindBuffer(arena, set, bufferType);
    const suffix = `${this.sparse ? "Sparse" : "Dense"}${cap(layout.type)}${cap(model)}`;
    return {
      gradientSlot: this.engine.kernelSlot(`gradient${suffix}`, deterministic),
      objectiveSlot: this.engine.kernelSlot(`objective${suffix}`, deterministic),
      touchSlot: this.engine.kernelSlot(this.sparse ? "touchSparseRows" : "touchRows", deterministic),
      model: block,
      pieces: arena.take(PIECES_FIRST + outputs * PIECE_BYTES),
      piece: { type: useBuffer ? bufferType : layout.type, indexed: this.sparse && !buffered },
      outputsAt: z,
      scaleAt: block + field.LINEAR_PARAMETER_SCALE_F64,
      dispose: () => arena.dispose(),
    };
  }

  /**
   * Returns a reason if the loss has no minimum. If a row's log loss is below ln 2, the row's class is more likely than
   * all others together. If this holds for every row, the fit keeps improving as the weights grow.
   */
  endless(mean: number): string | undefined {
    const { data, options, weights, rowCount } = this;
    const { loss, l1, l2, group } = options;
    const least = weights ? this.engine.memory.f64(weights, rowCount).reduce((a, b) => Math.min(a, b)) : 1;
    if (!(mean * rowCount < Math.LN2 * least) || l1 + l2 + group > 0 || data.layout.offset) return undefined;
    return ["logistic", "multinomial"].includes(loss.name) ? SEPARABLE : undefined;
  }

  dispose(): void {
    this.arena.dispose();
  }

  private ownParts(): LinearParts {
    const { data, engine, options, columns, stride, target, weights } = this;
    return { data, engine, options, columns, stride, target, weights };
  }

  private describeData(set: (at: number, value: number) => void): void {
    const { layout } = this.data;
    const bytes = { f32: 4, f64: 8, i16: 2, i8: 1 }[layout.type];
    set(field.LINEAR_VALUES, layout.values);
    set(field.LINEAR_ROW_BYTES, layout.stride * bytes);
    set(field.LINEAR_ELEMENT_SHIFT, 31 - Math.clz32(bytes));
    set(field.LINEAR_ROW_START, layout.rowStart);
    set(field.LINEAR_COLUMN_INDEX, layout.columnIndex);
    set(field.LINEAR_TARGET, this.target);
    set(field.LINEAR_WEIGHTS, this.weights);
    set(field.LINEAR_OFFSETS, layout.offset);
    set(field.LINEAR_COLUMNS, this.columns);
    set(field.LINEAR_OUTPUTS, this.options.outputs);
    set(field.LINEAR_PARAMETER_STRIDE, this.stride);
  }

  private bindLoss(arena: Arena, set: (at: number, value: number) => void, spec: ProgramSpec, at: Record<string, number>): void {
    const { program, block, update } = this.place(arena, spec);
    for (const [name, offset] of Object.entries(program.pointers)) arena.set(block, offset, at[name]);
    set(field.LINEAR_LOSS_UPDATE, update);
    set(field.LINEAR_LOSS_BLOCK, block);
    set(field.LINEAR_LOSS_AT_Z, program.pointers.z);
    set(field.LINEAR_LOSS_AT_DZ, program.pointers.dz);
    set(field.LINEAR_LOSS_AT_Y, program.pointers.y ?? program.scalars.y);
    set(field.LINEAR_LOSS_AT_WEIGHT, program.pointers.weight ?? program.scalars.weight ?? ABSENT);
    set(field.LINEAR_LOSS_AT_LOSS, program.scalars.loss);
  }

  /** Binds the program for the loss of a single row, if there is only one output. */
  private bindPoint(arena: Arena, set: (at: number, value: number) => void): void {
    set(field.LINEAR_POINT, ABSENT);
    if (this.options.outputs > 1) return;
    const { program, block, end } = this.place(
      arena,
      pointProgram(this.options.loss, this.weights !== 0, this.options.model !== "f64"),
    );
    set(field.LINEAR_POINT, end);
    set(field.LINEAR_POINT_BLOCK, block);
    set(field.LINEAR_POINT_AT_Z, program.scalars.z);
    set(field.LINEAR_POINT_AT_Y, program.scalars.y);
    set(field.LINEAR_POINT_AT_WEIGHT, program.scalars.weight ?? ABSENT);
    set(field.LINEAR_POINT_AT_DZ, program.scalars.dz);
    set(field.LINEAR_POINT_AT_LOSS, program.scalars.loss);
  }

  private bindBuffer(arena: Arena, set: (at: number, value: number) => void, type: "f32" | "f64"): void {
    const bytes = type === "f64" ? 8 : 4;
    set(field.LINEAR_BUFFER, arena.take(this.parameterCount * bytes));
    if (this.sparse) {
      set(field.LINEAR_STAMPS, arena.take((this.columns + 1) * 4));
      set(field.LINEAR_TOUCHED, arena.take((this.columns + 1) * 4));
      set(field.LINEAR_TOUCHED_VALUES, arena.take(this.columns * this.options.outputs * bytes));
      return;
    }
    const { program, block, update } = this.place(arena, addProgram(type, this.data.layout.type));
    set(field.LINEAR_ADD_UPDATE, update);
    set(field.LINEAR_ADD_BLOCK, block);
    set(field.LINEAR_ADD_AT_BUFFER, program.pointers.buffer);
    set(field.LINEAR_ADD_AT_VALUES, program.pointers.values);
    set(field.LINEAR_ADD_AT_FACTOR, program.scalars.factor);
  }

  private place(arena: Arena, spec: ProgramSpec): { program: CompiledProgram; block: number; update: number; end: number } {
    const { program, functions } = linkProgram(this.engine, spec, arena);
    const end = program.end === null ? ABSENT : functions[program.end].slot;
    return { program, block: arena.take(program.blockBytes), update: functions[program.update].slot, end };
  }

  private perParameter(value: (column: number) => number): Float64Array {
    const all = new Float64Array(this.parameterCount);
    for (let j = 0; j < this.columns; j++) all[j] = value(j);
    for (let k = 1; k < this.options.outputs; k++) all.copyWithin(k * this.stride, 0, this.stride);
    return all;
  }

  /** Returns max w‖x‖², including the intercept. */
  private largestRow(): number {
    const { layout, rowCount } = this.data;
    const { memory } = this.engine;
    const start = this.sparse ? memory.u32(layout.rowStart, rowCount + 1) : undefined;
    const values = memory[layout.type](layout.values, start ? start[rowCount] : rowCount * layout.stride);
    const weights = this.weights ? memory.f64(this.weights, rowCount) : undefined;
    let largest = 0;
    for (let i = 0; i < rowCount; i++) {
      const from = start ? start[i] : i * layout.stride;
      const to = start ? start[i + 1] : from + layout.stride;
      let square = 0;
      for (let e = from; e < to; e++) square += values[e] * values[e];
      largest = Math.max(largest, weights ? weights[i] * square : square);
    }
    return largest * layout.scale * layout.scale;
  }
}

const columnCounts = new WeakMap<Dataset, Uint32Array>();

/** Number of rows of a sparse dataset that contain each column, with the intercept last. */
function rowsByColumn(data: Dataset, engine: Engine): Uint32Array {
  const known = columnCounts.get(data);
  if (known) return known;
  const { layout, rowCount, columnCount } = data;
  const counts = new Uint32Array(columnCount + 1);
  const entries = engine.memory.u32(layout.rowStart, rowCount + 1)[rowCount];
  const columns = engine.memory.u32(layout.columnIndex, entries);
  for (let e = 0; e < entries; e++) counts[columns[e]]++;
  columnCounts.set(data, counts);
  return counts;
}

/** Program for buffer += factor × values. */
function addProgram(type: "f32" | "f64", valueType: "f32" | "f64" | "i16" | "i8"): ProgramSpec {
  return {
    name: "add row",
    precision: type,
    operands: [
      { name: "buffer", type, access: "direct" },
      { name: "values", type: valueType, access: "direct" },
    ],
    scalars: ["factor"],
    stores: [{ operand: "buffer", value: add(vector("buffer"), mul(scalar("factor"), vector("values"))) }],
    results: [],
  };
}
