/**
 * A network bound to a dataset. kernels/engine/arrays/network.ts computes the gradients of rows. Parameters:
 * programs.ts.
 *
 * It supports only rows with dense columns. In an update, batch statistics, dropout and augmentation are active. Random
 * numbers depend only on the lane's key and the index of the update, and not on the worker that executes the update.
 */

import { compileArrays } from "../../../engine/compiler/array/compile.ts";
import { initialiseBlock, type LinkedArrays, linkArrays } from "../../../engine/compiler/array/link.ts";
import type { ArrayProgram } from "../../../engine/compiler/array/lowered.ts";
import { KEY_HIGH, KEY_LOW, UPDATE } from "../../../engine/compiler/array/memory.ts";
import type { Beginning, LaneBinding, Penalty, Plan, Problem, RowGradient } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError, OptionError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import * as field from "../../../engine/memory/fields.ts";
import { checkRoom, MOST_ENGINE } from "../../../engine/memory/room.ts";
import { stream } from "../../../engine/random/stream.ts";
import { begun } from "./begun.ts";
import { initialValues } from "./initialisers.ts";
import {
  layOutParameters,
  lossProgram,
  lossUnitOf,
  type NetworkFacts,
  outputsOf,
  type ParameterLayout,
  updateProgram,
} from "./programs.ts";

const KINDS = { f32: 0, f64: 1, i16: 2, i8: 3 } as const;
/** Number of rows with which the network is traced to find its parameters. Batch statistics need two rows. */
const PROBE_ROWS = 2;
/** If a network has at least this many parameters, its memory is estimated in advance. */
const LARGE = 2 ** 24;
/** Bytes per parameter that a run stores outside the engine, for its start, density, decay and rate. */
const HOST_BYTES = 32;

export interface NetworkProblemOptions extends NetworkFacts {
  readonly l1: number;
  readonly l2: number;
  readonly rates: Readonly<Record<string, number>>;
  readonly classWeights: Float64Array | undefined;
  readonly beginning?: Beginning | undefined;
}

export class NetworkProblem implements Problem, RowGradient {
  protected static readonly typeName: string = "NetworkProblem";
  readonly name = "network";
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
  readonly layout: ParameterLayout;
  private readonly data: Dataset;
  private readonly engine: Engine;
  private readonly options: NetworkProblemOptions;
  private readonly plan: Plan;
  private readonly precision: "f32" | "f64";
  private readonly arena: Arena;
  /** Addresses of the coded targets and of the row weights: f64[rows]. */
  readonly target: number;
  readonly weights: number;
  private first: Float64Array | undefined;

  constructor(data: Dataset, plan: Plan, engine: Engine, options: NetworkProblemOptions) {
    this.data = data;
    this.engine = engine;
    this.plan = plan;
    this.options = options;
    this.rowCount = data.rowCount;
    this.precision = plan.precision.model === "f64" ? "f64" : "f32";
    const traced = outputsOf(options, PROBE_ROWS, true);
    this.lossUnit = lossUnitOf(options);
    this.draws = traced.streams > 0;
    this.layout = layOutParameters(traced);
    this.parameterCount = this.layout.count;
    this.trainedCount = this.layout.trained;
    this.checkRoom();
    refuseMisfits(data, plan, this.layout);
    const { l1, l2, rates } = options;
    refuseUnknownGroups(rates, this.layout);
    const perParameter = (value: (p: ParameterLayout["parameters"][number]) => number): Float64Array => {
      const all = new Float64Array(this.parameterCount);
      for (const p of this.layout.parameters) if (p.trained) all.fill(value(p), p.offset, p.offset + p.size);
      return all;
    };
    this.density = perParameter(() => 1);
    const weights = perParameter((p) => (p.decay ? 1 : 0));
    this.penalty = { l1, l2, group: 0, groups: [], nonNegative: false, outputs: 1, stride: this.parameterCount, weights };
    this.rates = Object.keys(rates).length > 0 ? perParameter((p) => rates[p.group ?? ""] ?? 1) : undefined;
    this.arena = new Arena(engine.memory, "network");
    this.target = this.arena.copy(codedTarget(data, options));
    this.weights = this.rowWeights();
  }

  get start(): Float64Array {
    this.first ??= this.firstValues();
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
      z: outputs ? arena.take(batch * this.options.outputs * bytes) : 0,
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
        plan,
        lane,
        model,
        at,
        buffers,
        linked: linkArrays(engine, program, arena, plan.deterministic),
      });
    const update = place(updateProgram(this.options, batch, precision, this.layout, outputs), field.NETWORK_UPDATE);
    // Only a line search needs the loss alone, without its gradient.
    let hasObjective = false;
    const objective = (): void => {
      if (hasObjective) return;
      hasObjective = true;
      place(lossProgram(this.options, batch, precision, this.layout), field.NETWORK_OBJECTIVE);
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
    const { parameterCount: count, trainedCount, precision, layout } = this;
    const bytes = (count + trainedCount) * (precision === "f64" ? 8 : 4);
    checkRoom("network", `${count} parameters with their gradient`, bytes, MOST_ENGINE);
    if (count < LARGE) return;
    checkRoom("network", `${count} parameters with their training state`, bytes + HOST_BYTES * count);
    const { plan } = compileArrays(updateProgram(this.options, PROBE_ROWS, precision, layout), { shared: false });
    const what = `${count} parameters with their gradient and the values of a batch of ${PROBE_ROWS} rows`;
    checkRoom("network", what, bytes + plan.bytes, MOST_ENGINE);
  }

  private firstValues(): Float64Array {
    const all = new Float64Array(this.parameterCount);
    for (const p of this.layout.parameters) all.set(initialValues(this.plan.seed, p), p.offset);
    for (const s of this.layout.states) all.fill(s.initial, s.offset, s.offset + s.size);
    return this.options.beginning ? begun(this.options.beginning, this.layout, all) : all;
  }

  /** Returns the address of the products of row weights and class weights, f64[rows], or 0. */
  private rowWeights(): number {
    const { weights, target, rowCount } = this.data;
    const { classWeights } = this.options;
    if (!weights && !classWeights) return 0;
    return this.arena.copy(
      Float64Array.from({ length: rowCount }, (_, i) => (weights?.[i] ?? 1) * (classWeights?.[target.values[i]] ?? 1)),
    );
  }
}

/** Returns the targets as losses need them: −1 and +1 for two classes and one output, otherwise unchanged. */
function codedTarget(data: Dataset, { loss, outputs }: NetworkFacts): Float64Array {
  const { kind, values } = data.target;
  if (loss.task !== "binary" || outputs > 1) return Float64Array.from(values);
  return values.map((y) => (y > (kind === "category" ? 0.5 : 0) ? 1 : -1));
}

interface Placing {
  readonly engine: Engine;
  readonly arena: Arena;
  readonly plan: Plan;
  readonly lane: number;
  readonly model: number;
  /** Offset of the program's entry within the block of the model. */
  readonly at: number;
  readonly buffers: Readonly<Record<string, number>>;
  readonly linked: LinkedArrays;
}

/** Allocates a block for the program and writes its entry. Returns the block's address. */
function placeProgram({ engine, arena, plan, lane, model, at, buffers, linked }: Placing): number {
  const { plan: memory, run } = linked;
  const block = arena.take(memory.bytes);
  initialiseBlock(engine, memory, block);
  for (const [name, pointer] of Object.entries(memory.pointers)) if (name in buffers) arena.set(block, pointer, buffers[name]);
  const key = stream(plan.seed, "network", lane).key;
  arena.set(block, KEY_LOW, key[0]);
  arena.set(block, KEY_HIGH, key[1]);
  arena.set(model, at + field.NETWORK_PROGRAM_SLOT, run.slot);
  arena.set(model, at + field.NETWORK_PROGRAM_BLOCK, block);
  const parameters = memory.pointers.parameters;
  arena.set(model, at + field.NETWORK_PROGRAM_PARAMETERS, parameters === undefined ? 0 : block + parameters);
  return block;
}

function refuseUnknownGroups(rates: NetworkProblemOptions["rates"], { parameters }: ParameterLayout): void {
  const groups = [...new Set(parameters.flatMap(({ group }) => (group === undefined ? [] : [group])))];
  const unknown = Object.keys(rates).find((name) => !groups.includes(name));
  if (unknown === undefined) return;
  const known = groups.length > 0 ? `there are: ${groups.join(", ")}` : "there are none";
  throw new OptionError(
    "network.rates",
    `"${unknown}" is not a group of parameters (${known}); mark the layers by grouped("${unknown}", layer)`,
    "OPTION_UNKNOWN",
  );
}

function refuseMisfits(data: Dataset, plan: Plan, layout: ParameterLayout): void {
  const refuse = (message: string, code: string): never => {
    throw new CapabilityError("network", message, code);
  };
  if (data.layout.format === "sparse")
    refuse(
      'the dataset is sparse, but layers take dense rows; read it with layout: "dense", leave out hashing, or use linear()',
      "MODEL_DATA",
    );
  if (data.layout.offset)
    refuse("the rows have an offset, which networks do not support; make it a column, or use linear()", "MODEL_OFFSET");
  if (plan.precision.model === "i16")
    refuse(
      'precision.model is "i16", but networks are trained in floats; use precision: { data: "i16", model: "f32" }',
      "PLAN_MEANING",
    );
  if (plan.batch === "all" && layout.states.length > 0)
    refuse('batch is "all", but batch normalisation needs running statistics of batches; give a number', "PLAN_MEANING");
}
