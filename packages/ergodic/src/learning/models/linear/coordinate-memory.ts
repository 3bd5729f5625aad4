import { linkProgram } from "../../../engine/compiler/index.ts";
import type { ColumnBinding, ColumnTarget, CoordinateMove, Plan } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import * as field from "../../../engine/memory/fields.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { curvedProgram, type Loss } from "../loss.ts";
import { curvatureBounds } from "./coordinate-bounds.ts";
import type { CoordinatePieces } from "./coordinate-pieces.ts";

/** Number of blocks per kernel call. */
const CHUNK = 1024;

export interface CoordinateMemoryOptions {
  target: ColumnTarget;
  pieces: CoordinatePieces;
  loss: Loss;
  /** Factor of an intercept in z. */
  one: number;
  plan: Plan;
  engine: Engine;
}

/**
 * Memory with the MOVES block of kernels/engine/optimise/coordinate-moves.ts, its inputs and its results. A view is
 * created for each use, because memory can move.
 */
export class CoordinateMemory {
  readonly target: ColumnTarget;
  readonly pieces: CoordinatePieces;
  /** Curvature bound of each block; Infinity if the curvature of the loss is unbounded. */
  readonly bounds: Float64Array;
  /** Indices of all blocks except the intercepts. */
  readonly penalised: readonly number[];
  /** Whether a scaled dual point exists, and whether a dual point that uses l2 exists. */
  readonly scalable: boolean;
  readonly ridged: boolean;
  private readonly engine: Engine;
  private readonly deterministic: boolean;
  private readonly binding: ColumnBinding;
  private readonly arena: Arena;
  private readonly block: number;
  private readonly xAt: number;
  private readonly listed: number;
  private readonly numbers: number;
  private readonly gradient: number;
  private rows = { at: 0, count: 0 };
  private trialLength: number;
  private companion: { u: number; z: number } | undefined;

  constructor({ target, pieces, loss, one, plan, engine }: CoordinateMemoryOptions) {
    this.target = target;
    this.pieces = pieces;
    this.engine = engine;
    this.deterministic = plan.deterministic;
    this.binding = target.bind(target.rowWeights);
    const arena = new Arena(engine.memory, "coordinates of a linear model");
    this.arena = arena;
    const { count, blocks } = pieces;
    const f64 = (length: number): number => arena.take(length * 8);
    const largest = blocks.reduce((most, members) => Math.max(most, members.length), 1);
    this.xAt = f64(count);
    this.listed = arena.take(CHUNK * 4);
    this.numbers = f64(3 * CHUNK);
    this.gradient = f64(count);
    const boundsAt = f64(blocks.length);
    const { binding } = this;
    this.block = arena.block(field.MOVES_BYTES, [
      [field.MOVES_COLUMNS, binding.columns],
      [field.MOVES_DOT, binding.slots.dot],
      [field.MOVES_ADD, binding.slots.add],
      [field.MOVES_ADD_WEIGHTED, binding.slots.addWeighted],
      [field.MOVES_ROWS, target.rowCount],
      [field.MOVES_COLUMN_COUNT, target.columnCount],
      [field.MOVES_WIDTH, pieces.width],
      [field.MOVES_OUTPUTS, target.outputs],
      [field.MOVES_QUADRATIC, target.quadratic ? 1 : 0],
      [field.MOVES_WEIGHTS, binding.weights],
      [field.MOVES_X, this.xAt],
      [field.MOVES_Z, binding.z],
      [field.MOVES_SLOPES, binding.slopes],
      [field.MOVES_CURVATURES, binding.curvatures],
      [field.MOVES_START, indices(arena, starts(blocks))],
      [field.MOVES_MEMBERS, indices(arena, Uint32Array.from(blocks.flat()))],
      [field.MOVES_L1, arena.copy(pieces.l1)],
      [field.MOVES_L2, arena.copy(pieces.l2)],
      [field.MOVES_FLOORS, arena.copy(pieces.floors)],
      [field.MOVES_GROUP, arena.copy(pieces.group)],
      [field.MOVES_BOUNDS, boundsAt],
      [field.MOVES_TEMPORARY, f64(target.rowCount)],
      [field.MOVES_PARTIALS, f64(largest)],
      [field.MOVES_BEFORE, f64(largest)],
    ]);
    arena.setF64(this.block, field.MOVES_ONE_F64, one);
    this.bindLoss(loss);
    this.trialLength = 0;
    this.openTrial(target.rowCount);
    this.call("coordinateLoss", 1);
    this.bounds = curvatureBounds(target, pieces, (columns) => this.gram(columns));
    this.arena.memory.f64(boundsAt, blocks.length).set(this.bounds);
    this.penalised = blocks.flatMap((members, b) => (pieces.isIntercept(members[0]) ? [] : [b]));
    this.scalable = this.penalised.every((b) => pieces.bounded(b));
    this.ridged = this.penalised.every((b) => blocks[b].every((i) => pieces.l2[i] > 0));
  }

  get certifiable(): boolean {
    return this.binding.conjugate !== undefined && (this.scalable || this.ridged);
  }

  get x(): Float64Array {
    return this.arena.memory.f64(this.xAt, this.pieces.count);
  }

  /** Calls a kernel on this thread, with the block as argument. */
  call(kernel: string, ...args: number[]): number {
    return this.engine.kernel(kernel, this.deterministic)(this.block, ...args);
  }

  /**
   * Divides the list of blocks into chunks and calls `run` on each chunk. Each array of `numbers` supplies one number
   * per block.
   */
  inChunks(
    blocks: Uint32Array,
    numbers: readonly Float64Array[],
    run: (listed: number, count: number, numbers: number, first: number) => void,
    most = CHUNK,
  ): void {
    for (let first = 0; first < blocks.length; first += most) {
      const listed = blocks.subarray(first, first + most);
      const { memory } = this.arena;
      memory.u32(this.listed, listed.length).set(listed);
      for (const [k, values] of numbers.entries())
        memory.f64(this.numbers + k * listed.length * 8, listed.length).set(values.subarray(first, first + listed.length));
      run(this.listed, listed.length, this.numbers, first);
    }
  }

  inEstimates(blocks: Uint32Array, { rows, rates, stream, first }: NonNullable<CoordinateMove["estimate"]>): void {
    this.openTrial(rows);
    const most = Math.max(1, Math.min(CHUNK, Math.floor(65536 / rows)));
    if (this.rows.count < most * rows) this.rows = { at: this.arena.take(most * rows * 4), count: most * rows };
    const run = (listed: number, count: number, numbers: number, from: number): void => {
      const drawn = this.arena.memory.u32(this.rows.at, count * rows);
      for (let k = 0; k < count; k++) {
        const draws = stream.at(first + from + k);
        for (let e = 0; e < rows; e++) drawn[k * rows + e] = draws.integer(this.target.rowCount);
      }
      this.call("coordinateEstimates", listed, count, this.rows.at, rows, numbers);
    };
    this.inChunks(blocks, [rates], run, most);
  }

  partials(): Float64Array {
    this.call("coordinatePartials", this.gradient);
    return this.arena.memory.f64(this.gradient, this.pieces.count).slice();
  }

  /** Returns max over outputs of |Σv| ÷ Σ|v|. */
  imbalance(): number {
    const { rowCount, outputs } = this.target;
    let most = 0;
    for (let k = 0; k < outputs; k++) {
      let sum = 0;
      let size = 0;
      for (const v of this.over(this.binding.slopes).subarray(k * rowCount, (k + 1) * rowCount)) {
        sum += v;
        size += Math.abs(v);
      }
      if (size > 0) most = Math.max(most, Math.abs(sum) / size);
    }
    return most;
  }

  /** Returns Σ c ℓ*(−α v/c) for v = −slopes. */
  conjugate(alpha: number): number {
    const conjugate = this.binding.conjugate!;
    const v = this.arena.memory.u32(this.block + field.MOVES_TRIAL_Z, 1)[0];
    const slopes = this.over(this.binding.slopes);
    const to = this.over(v);
    for (let i = 0; i < to.length; i++) to[i] = -slopes[i];
    const results = conjugate.calls(v, alpha).map((call) => this.run(call));
    return conjugate.value(results);
  }

  openCompanion(): void {
    if (this.companion) return;
    const { arena, block, target } = this;
    this.companion = { u: arena.take(this.pieces.count * 8), z: arena.take(target.outputs * target.rowCount * 8) };
    arena.set(block, field.MOVES_U, this.companion.u);
    arena.set(block, field.MOVES_U_Z, this.companion.z);
  }

  clearCompanion(): void {
    if (!this.companion) return;
    this.arena.memory.f64(this.companion.u, this.pieces.count).fill(0);
    this.over(this.companion.z).fill(0);
  }

  /** Sets x ← x + scale u and u ← 0, and updates the outputs, or the slopes if the loss is quadratic. */
  merge(scale: number): void {
    if (!this.companion) return;
    const { binding, target, pieces } = this;
    const u = this.arena.memory.f64(this.companion.u, pieces.count);
    const { x } = this;
    // The result is an average of points above the floor, so it can be below the floor only because of rounding.
    for (let i = 0; i < x.length; i++) x[i] = Math.max(pieces.floors[i], x[i] + scale * u[i]);
    const from = this.over(this.companion.z);
    const to = this.over(target.quadratic ? binding.slopes : binding.z);
    for (let i = 0; i < to.length; i++) to[i] += scale * from[i];
    this.clearCompanion();
  }

  /** Returns copies of all arrays that moves modify. */
  read(): Record<string, Float64Array> {
    return Object.fromEntries(Object.entries(this.tensors()).map(([name, values]) => [name, values.slice()]));
  }

  write(kept: KeptPart): void {
    const withCompanion = kept.has("u");
    if (withCompanion) this.openCompanion();
    else this.clearCompanion();
    const ofCompanion = (name: string): boolean => name === "u" || name === "outputs";
    for (const [name, values] of Object.entries(this.tensors())) if (withCompanion || !ofCompanion(name)) kept.into(values, name);
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }

  private tensors(): Record<string, Float64Array> {
    const { binding, companion, target } = this;
    return {
      x: this.x,
      slopes: this.over(binding.slopes),
      ...(target.quadratic ? {} : { z: this.over(binding.z), curvatures: this.over(binding.curvatures) }),
      ...(companion ? { u: this.arena.memory.f64(companion.u, this.pieces.count), outputs: this.over(companion.z) } : {}),
    };
  }

  /** f64[outputs][rows]. */
  private over(at: number): Float64Array {
    return this.arena.memory.f64(at, this.target.outputs * this.target.rowCount);
  }

  private run({ kernel, args }: Call): number {
    if (typeof kernel === "string") return this.engine.kernel(kernel, this.deterministic)(...args);
    return this.engine.kernel("coordinateCall", this.deterministic)(kernel, ...args);
  }

  /**
   * Binds the loss again for trial points. The loss blocks are copied, and the kernel makes the copies refer to the
   * trial's arrays.
   */
  private bindLoss(loss: Loss): void {
    const { arena, binding, engine, block, target } = this;
    const { program } = linkProgram(engine, curvedProgram(loss), arena);
    const copied = (from: number, bytes: number): number => {
      const to = arena.take(bytes);
      arena.memory.u8(to, bytes).set(arena.memory.u8(from, bytes));
      return to;
    };
    const u32 = (at: number): number => arena.memory.u32(at, 1)[0];
    const losses = arena.take(target.outputs * field.MOVES_LOSS_BYTES);
    const lossAt = (k: number): number => losses + k * field.MOVES_LOSS_BYTES;
    arena.set(block, field.MOVES_LOSSES, losses);
    if (target.joint) {
      const from = binding.evaluation[0].args[0];
      arena.set(block, field.MOVES_JOINT, copied(from, field.JOINT_BYTES));
      for (let k = 0; k < target.outputs; k++) arena.set(lossAt(k), field.MOVES_LOSS_TARGETS, u32(from + field.JOINT_Y));
      return;
    }
    for (const [k, { kernel, args }] of binding.evaluation.entries()) {
      arena.set(lossAt(k), field.MOVES_LOSS_SLOT, Number(kernel));
      arena.set(lossAt(k), field.MOVES_LOSS_BLOCK, copied(args[1], program.blockBytes));
      arena.set(lossAt(k), field.MOVES_LOSS_TARGETS, u32(args[1] + program.pointers.y));
    }
    arena.set(block, field.MOVES_AT_Z, program.pointers.z);
    arena.set(block, field.MOVES_AT_DZ, program.pointers.dz);
    arena.set(block, field.MOVES_AT_D2Z, program.pointers.d2z);
    arena.set(block, field.MOVES_AT_Y, program.pointers.y);
    arena.set(block, field.MOVES_AT_WEIGHT, program.pointers.weight);
    arena.set(block, field.MOVES_AT_LOSS, program.scalars.loss);
  }

  /** Allocates memory for a trial on `length` rows. */
  private openTrial(length: number): void {
    if (length <= this.trialLength) return;
    const { arena, block, target } = this;
    this.trialLength = length;
    const all = target.outputs * length * 8;
    const [z, slopes, curvatures] = [arena.take(all), arena.take(all), arena.take(all)];
    arena.set(block, field.MOVES_TRIAL_Z, z);
    arena.set(block, field.MOVES_TRIAL_SLOPES, slopes);
    arena.set(block, field.MOVES_TRIAL_CURVATURES, curvatures);
    arena.set(block, field.MOVES_TRIAL_Y, arena.take(length * 8));
    arena.set(block, field.MOVES_TRIAL_WEIGHTS, arena.take(length * 8));
    arena.set(block, field.MOVES_DIRECTION, arena.take(length * 8));
    const joint = arena.memory.u32(block + field.MOVES_JOINT, 1)[0];
    if (!joint) return;
    arena.set(joint, field.JOINT_Z, z);
    arena.set(joint, field.JOINT_A, slopes);
    arena.set(joint, field.JOINT_B, curvatures);
  }

  /** Returns X_bᵀ diag(c) X_b. */
  private gram(columns: readonly number[]): Float64Array {
    const scratch = new Arena(this.engine.memory, "products of columns");
    try {
      const m = columns.length;
      const products = scratch.take(m * m * 8);
      this.call("coordinateGram", indices(scratch, Uint32Array.from(columns)), m, products);
      return scratch.memory.f64(products, m * m).slice();
    } finally {
      scratch.dispose();
    }
  }
}

function starts(blocks: readonly (readonly number[])[]): Uint32Array {
  const all = new Uint32Array(blocks.length + 1);
  for (const [b, members] of blocks.entries()) all[b + 1] = all[b] + members.length;
  return all;
}

function indices(arena: Arena, values: Uint32Array): number {
  const at = arena.take(values.byteLength);
  arena.memory.u32(at, values.length).set(values);
  return at;
}
