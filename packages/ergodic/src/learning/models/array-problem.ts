/**
 * A model whose gradient is an array program on a batch of rows, bound to a dataset. kernels/engine/arrays/network.ts
 * runs the program.
 *
 * It supports only rows with dense columns. Random numbers depend only on the lane's key and the index of the update,
 * and not on the worker that executes the update.
 */

import { compileArrays } from "../../engine/compiler/array/compile.ts";
import { initialiseBlock, type LinkedArrays, linkArrays } from "../../engine/compiler/array/link.ts";
import type { ArrayProgram } from "../../engine/compiler/array/lowered.ts";
import { KEY_HIGH, KEY_LOW, UPDATE } from "../../engine/compiler/array/memory.ts";
import type { LaneBinding, Penalty, Plan, Problem, RowGradient } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import * as field from "../../engine/memory/fields.ts";
import { checkRoom, MOST_ENGINE } from "../../engine/memory/room.ts";
import { stream } from "../../engine/random/stream.ts";

const KINDS = { f32: 0, f64: 1, i16: 2, i8: 3 } as const;
/** Number of rows for which a model is traced, to find its parameters and its memory. Batch statistics need two rows. */
export const PROBE_ROWS = 2;
/** If a model has at least this many parameters, its memory is estimated in advance. */
const LARGE = 2 ** 24;
/** Bytes per parameter that a run stores outside the engine, for its start, density, decay and rate. */
const HOST_BYTES = 32;

/** Place of an array in the vector of parameters. */
export interface Place {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/** A parameter in the vector. */
export interface ParameterPlace extends Place {
  readonly trained: boolean;
  /** Whether penalties apply. */
  readonly decay: boolean;
  /** Group whose steps can have their own factor. */
  readonly group?: string;
}

/** Layout of the vector: trained parameters, then frozen ones, then states, which the update program writes itself. */
export interface ArrayLayout {
  readonly parameters: readonly ParameterPlace[];
  readonly states: readonly Place[];
  /** Length of the trained part of the vector, which has gradients, and length of the whole vector. */
  readonly trained: number;
  readonly count: number;
}

/** Everything that distinguishes one kind of model from another. */
export interface ArrayParts {
  /** Name of the model, for errors and random streams. */
  readonly name: string;
  readonly layout: ArrayLayout;
  /** Whether the program draws random numbers. */
  readonly draws: boolean;
  /** Factor that converts the loss into the units of the target. */
  readonly lossUnit: number;
  readonly l1: number;
  readonly l2: number;
  /** Factor of the step size by group. */
  readonly rates: Readonly<Record<string, number>>;
  /** Coded targets and weights of the rows. */
  readonly target: Float64Array;
  readonly weights: Float64Array | undefined;
  /** Number of outputs per row. */
  readonly outputs: number;
  /** Reason why updates need batches of a fixed number of rows, if they do. */
  readonly batchesFor?: string;
  /** Program for the loss, its gradient and the next states. If `outputs` is set, it also returns the outputs. */
  update(batch: number, precision: "f32" | "f64", outputs: boolean): ArrayProgram;
  /** Program for the loss alone. */
  loss(batch: number, precision: "f32" | "f64"): ArrayProgram;
  /** Returns the initial vector. */
  start(): Float64Array;
}

export class ArrayProblem implements Problem, RowGradient {
  protected static readonly typeName: string = "ArrayProblem";
  readonly name: string;
  readonly rowCount: number;
  readonly parameterCount: number;
  readonly trainedCount: number;
  readonly rowGradient: RowGradient = this;
  readonly sparse = false;
  readonly penalty: Penalty;
  readonly density: Float64Array;
  readonly rates: Float64Array | undefined;
  readonly draws: boolean;
  readonly lossUnit: number;
  readonly layout: ArrayLayout;
  private readonly data: Dataset;
  private readonly engine: Engine;
  private readonly given: ArrayParts;
  private readonly plan: Plan;
  private readonly precision: "f32" | "f64";
  private readonly arena: Arena;
  /** Addresses of the coded targets and of the row weights: f64[rows]. */
  readonly target: number;
  readonly weights: number;
  private first: Float64Array | undefined;

  constructor(data: Dataset, plan: Plan, engine: Engine, parts: ArrayParts) {
    const { name, layout, draws, lossUnit, l1, l2, rates, target, weights } = parts;
    this.data = data;
    this.engine = engine;
    this.plan = plan;
    this.given = parts;
    this.name = name;
    this.rowCount = data.rowCount;
    this.precision = plan.precision.model === "f64" ? "f64" : "f32";
    this.lossUnit = lossUnit;
    this.draws = draws;
    this.layout = layout;
    this.parameterCount = layout.count;
    this.trainedCount = layout.trained;
    this.checkRoom();
    refuseMisfits(data, plan, parts);
    const perParameter = (value: (p: ParameterPlace) => number): Float64Array => {
      const all = new Float64Array(this.parameterCount);
      for (const p of layout.parameters) if (p.trained) all.fill(value(p), p.offset, p.offset + p.size);
      return all;
    };
    this.density = perParameter(() => 1);
    const decays = perParameter((p) => (p.decay ? 1 : 0));
    this.penalty = {
      ...{ l1, l2, group: 0, groups: [], nonNegative: false },
      ...{ outputs: 1, stride: this.parameterCount, weights: decays },
    };
    this.rates = Object.keys(rates).length > 0 ? perParameter((p) => rates[p.group ?? ""] ?? 1) : undefined;
    this.arena = new Arena(engine.memory, name);
    this.target = this.arena.copy(target);
    this.weights = weights ? this.arena.copy(weights) : 0;
  }

  get start(): Float64Array {
    this.first ??= this.given.start();
    return this.first;
  }

  get parts(): NonNullable<Problem["parts"]> {
    const { parameters, states } = this.layout;
    return Object.fromEntries([...parameters, ...states].map(({ path, offset, size }) => [path, [[offset, size]]]));
  }

  bind({ batch, purpose, lane = 0, outputs = false }: Parameters<RowGradient["bind"]>[0]): LaneBinding {
    const { engine, precision, plan } = this;
    const arena = new Arena(engine.memory, purpose);
    const bytes = precision === "f64" ? 8 : 4;
    const { layout } = this.data;
    const buffers: Record<string, number> = {
      x: arena.take(batch * layout.columnCount * bytes),
      y: arena.take(batch * bytes),
      w: arena.take(batch * bytes),
      gradient: arena.take(this.trainedCount * bytes),
      loss: arena.take(bytes),
      z: outputs ? arena.take(batch * this.given.outputs * bytes) : 0,
    };
    const model = arena.block(field.NETWORK_BYTES, [
      [field.NETWORK_SOURCE, layout.values],
      [field.NETWORK_STRIDE, layout.stride],
      [field.NETWORK_KIND, KINDS[layout.type]],
      [field.NETWORK_COLUMNS, layout.columnCount],
      [field.NETWORK_TARGET, this.target],
      [field.NETWORK_WEIGHTS, this.weights],
      [field.NETWORK_BATCH, batch],
      [field.NETWORK_X, buffers.x],
      [field.NETWORK_Y, buffers.y],
      [field.NETWORK_W, buffers.w],
      [field.NETWORK_ROWS, arena.take(batch * 4)],
      [field.NETWORK_DOUBLE, precision === "f64" ? 1 : 0],
      [field.NETWORK_GRADIENT, buffers.gradient],
      [field.NETWORK_COUNT, this.trainedCount],
      [field.NETWORK_LOSS, buffers.loss],
    ]);
    arena.setF64(model, field.NETWORK_SCALE_F64, layout.scale);
    const place = (program: ArrayProgram, at: number): number =>
      placeProgram({
        engine,
        arena,
        key: stream(plan.seed, this.name, lane).key,
        model,
        at,
        buffers,
        linked: linkArrays(engine, program, arena, plan.deterministic),
      });
    const update = place(this.given.update(batch, precision, outputs), field.NETWORK_UPDATE);
    // Only a line search needs the loss alone, without its gradient.
    let hasObjective = false;
    const objective = (): void => {
      if (hasObjective) return;
      hasObjective = true;
      place(this.given.loss(batch, precision), field.NETWORK_OBJECTIVE);
    };
    const slot = (name: string): number => engine.kernelSlot(name, plan.deterministic);
    return {
      gradientSlot: slot("networkGradient"),
      get objectiveSlot() {
        objective();
        return slot("networkObjective");
      },
      touchSlot: slot("networkTouch"),
      model,
      pieces: arena.take(field.PIECES_FIRST + field.PIECE_BYTES),
      outputsAt: buffers.z,
      scaleAt: arena.take(8),
      piece: { type: precision, indexed: false },
      ...(this.draws ? { updateAt: update + UPDATE } : {}),
      dispose: () => arena.dispose(),
    };
  }

  dispose(): void {
    this.arena.dispose();
  }

  /** Checks in advance that enough memory is available, because a host can kill a process that exceeds its memory. */
  private checkRoom(): void {
    const { parameterCount: count, trainedCount, precision, name } = this;
    const bytes = (count + trainedCount) * (precision === "f64" ? 8 : 4);
    checkRoom(name, `${count} parameters with their gradient`, bytes, MOST_ENGINE);
    if (count < LARGE) return;
    checkRoom(name, `${count} parameters with their training state`, bytes + HOST_BYTES * count);
    const { plan } = compileArrays(this.given.update(PROBE_ROWS, precision, false), { shared: false });
    const what = `${count} parameters with their gradient and the values of a batch of ${PROBE_ROWS} rows`;
    checkRoom(name, what, bytes + plan.bytes, MOST_ENGINE);
  }
}

interface Placing {
  readonly engine: Engine;
  readonly arena: Arena;
  /** Key of the lane's random numbers. */
  readonly key: readonly number[];
  readonly model: number;
  /** Offset of the program's entry within the block of the model. */
  readonly at: number;
  readonly buffers: Readonly<Record<string, number>>;
  readonly linked: LinkedArrays;
}

/** Allocates a block for the program and writes its entry. Returns the block's address. */
function placeProgram({ engine, arena, key, model, at, buffers, linked }: Placing): number {
  const { plan: memory, run } = linked;
  const block = arena.take(memory.bytes);
  initialiseBlock(engine, memory, block);
  for (const [name, pointer] of Object.entries(memory.pointers)) if (name in buffers) arena.set(block, pointer, buffers[name]);
  arena.set(block, KEY_LOW, key[0]);
  arena.set(block, KEY_HIGH, key[1]);
  arena.set(model, at + field.NETWORK_PROGRAM_SLOT, run.slot);
  arena.set(model, at + field.NETWORK_PROGRAM_BLOCK, block);
  const parameters = memory.pointers.parameters;
  arena.set(model, at + field.NETWORK_PROGRAM_PARAMETERS, parameters === undefined ? 0 : block + parameters);
  return block;
}

function refuseMisfits(data: Dataset, plan: Plan, { name, batchesFor }: ArrayParts): void {
  const refuse = (message: string, code: string): never => {
    throw new CapabilityError(name, message, code);
  };
  if (data.layout.format === "sparse")
    refuse(
      'the dataset is sparse, but the model takes dense rows; read it with layout: "dense", leave out hashing, or use linear()',
      "MODEL_DATA",
    );
  if (data.layout.offset)
    refuse("the rows have an offset, which the model does not support; make it a column, or use linear()", "MODEL_OFFSET");
  if (plan.precision.model === "i16")
    refuse(
      'precision.model is "i16", but the model is trained in floats; use precision: { data: "i16", model: "f32" }',
      "PLAN_MEANING",
    );
  if (plan.batch === "all" && batchesFor !== undefined)
    refuse(`batch is "all", but ${batchesFor}; give a number`, "PLAN_MEANING");
}
