import { DataError } from "../../engine/errors/errors.ts";
import { Arena } from "../../engine/memory/arena.ts";
import { type ArrayPlan, countAt } from "../../engine/memory/array-plan.ts";
import type { Machine } from "../../engine/memory/engine.ts";
import { own } from "../../engine/memory/memory.ts";
import { constantsOf, isGiven, type PlanBuffer, parametersOf } from "./buffers.ts";
import type { PlanPrograms } from "./checked-programs.ts";
import { ReadyProgram, type Workspace } from "./ready-program.ts";
import { showsResidue } from "./residue.ts";
import { batchMemory, placesOf, programsOf } from "./value-places.ts";

/**
 * Minimum number of cached programs. There is one program per batch size. More programs can be cached, as long as all
 * of them together need no more memory than a batch's working memory.
 */
export const KEPT = 4;

export interface PlanParts {
  readonly plan: ArrayPlan;
  readonly buffers: readonly PlanBuffer[];
  readonly programs: PlanPrograms;
  /** Constants of the plan and parameters, by name. */
  readonly numbers: Readonly<Record<string, ArrayLike<number>>>;
  readonly chunk: number;
  readonly deterministic: boolean;
  readonly where: string;
}

/**
 * Checks that all constants and parameters are present. @throws DataError for arrays that are missing or have another
 * length
 */
export function checkNumbers({ plan, buffers, numbers, where }: Pick<PlanParts, "plan" | "buffers" | "numbers" | "where">): void {
  for (const { name, size } of [...constantsOf(plan), ...parametersOf(buffers)]) {
    const values = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
    if (values?.length === size) continue;
    const what = values ? `has ${values.length} numbers` : "is missing";
    const message = `"${name}" ${what}, but ${size} are wanted; the file is damaged, export it again`;
    throw new DataError(where, message, "MODEL_FORMAT");
  }
}

/** Input and output of a batch in memory, with the program that computes the output. */
export interface OpenBatch {
  readonly input: Float32Array | Float64Array;
  /** Returns whether all numbers of the input are finite. */
  isFinite(): boolean;
  readonly output: Float32Array | Float64Array;
  run(): void;
}

export interface Batch {
  /** Views of the batch. They are absent until they are requested. */
  open?: OpenBatch;
  readonly program: { run(): void };
  /** Addresses of inputs and outputs. */
  readonly at: ReadonlyMap<string, number>;
  /** Memory of the program. */
  readonly arena: Arena;
}

/**
 * Working memory for inputs, outputs and intermediate values. All batches up to a certain number of rows share this
 * memory, but only one batch uses it at a time.
 */
interface Room {
  readonly arena: Arena;
  /** Addresses of inputs and outputs. */
  readonly at: ReadonlyMap<string, number>;
  readonly workspaces: readonly Workspace[];
}

/**
 * Returns the capacity in rows of the room that a batch uses. The capacity is the chunk size, halved while the batch
 * still fits. All rooms together therefore take less memory than two rooms of a whole chunk.
 */
function capacityOf(rows: number, chunk: number): number {
  const half = Math.floor(chunk / 2);
  return half >= rows ? capacityOf(rows, half) : chunk;
}

export type BatchParts = Pick<PlanParts, "plan" | "buffers" | "programs" | "chunk" | "where">;

/**
 * Maximum number of bytes that a plan needs for batches, excluding constants and parameters. This memory includes
 * rooms, cached programs, a program that is being made, and an answer.
 */
export function batchesBytes(parts: BatchParts): number {
  const { rooms, code, kept, scratch } = batchSizes(parts);
  // One row's prediction, in float64.
  const given = parts.buffers.reduce((sum, { size, isWritten }) => sum + (isWritten ? 8 * countAt(size, 1) : 0), 0);
  return rooms + kept + code + 2 * scratch + given;
}

/** Sizes in bytes of all rooms, of a chunk's program, of all cached programs, and of the scratch memory. */
function batchSizes({ plan, buffers, programs, chunk, where }: BatchParts) {
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  const once = new Set(parametersOf(buffers).map(({ name }) => name));
  const own = buffers.filter(({ name }) => !once.has(name));
  const sizesAt = (rows: number) => {
    const { workspace, code, scratch } = batchMemory(programs.at(rows), elementBytes, where);
    const room = own.reduce((sum, { size }) => sum + countAt(size, rows) * elementBytes + 64, workspace);
    return { room, code, scratch };
  };
  const { room, code, scratch } = sizesAt(chunk);
  // A smaller room saves memory only for values that grow with the rows.
  const smaller = chunk === 1 ? 0 : room + Math.ceil(Math.log2(chunk)) * sizesAt(1).room;
  return { rooms: room + smaller, code, kept: Math.min(Math.max(KEPT * code, room), chunk * code), scratch };
}

/**
 * A plan in a memory, with its constants, parameters and a program for each batch size that was requested. On a server,
 * the sizes of successive batches can vary. Programs are small, so they are cached. Their working memory is shared.
 *
 * @throws MemoryLimitError if the memory cannot hold a batch
 */
export class PlanHome implements Disposable {
  readonly machine: Machine;
  readonly #parts: Omit<PlanParts, "numbers">;
  readonly #arena: Arena;
  /** Addresses by name. */
  readonly #constants: ReadonlyMap<string, number>;
  readonly #parameters: ReadonlyMap<string, number>;
  readonly #batches = new Map<number, Batch>();
  /** Rooms by their number of rows. */
  readonly #rooms = new Map<number, Room>();
  /** Bytes of the cached programs. */
  #kept = 0;
  /** Largest size of all cached programs in bytes, before the oldest is evicted. */
  #most: number | undefined;
  /** Scratch memory for one kernel at a time. This memory has the largest size that any program has needed so far. */
  readonly #scratch: { bytes: number; address: number; arena?: Arena | undefined } = { bytes: 0, address: 0 };
  /**
   * When this object is garbage collected, the plan's part of the shared memory is freed. If the plan has its own memory,
   * no owner is needed.
   */
  readonly #owner: WeakRef<object> | undefined;

  constructor(machine: Machine, { numbers, ...parts }: PlanParts, owner?: object) {
    this.machine = machine;
    this.#parts = parts;
    this.#owner = owner && new WeakRef(owner);
    this.#arena = new Arena(machine.memory, parts.where);
    const placed = (those: readonly { name: string; size: number }[]): Map<string, number> =>
      new Map(those.map(({ name, size }) => [name, this.#placed(name, size, numbers)]));
    [this.#constants, this.#parameters] = released(this.#arena, () => [
      placed(constantsOf(parts.plan)),
      placed(parametersOf(parts.buffers)),
    ]);
    if (owner) this.#arena.ownedBy(owner, own);
  }

  view(at: number, count: number): Float32Array | Float64Array {
    return this.machine.memory[this.#parts.plan.precision](at, count);
  }

  batch(rows: number): Batch {
    const known = this.#batches.get(rows);
    if (known) return known;
    const room = this.#room(capacityOf(rows, this.#parts.chunk));
    const made = this.#filled((arena) => this.#arranged(rows, room, arena));
    this.#batches.set(rows, made);
    this.#kept += made.arena.bytes;
    this.#giveBack(rows);
    return made;
  }

  /** Evicts the oldest programs when the cache is full, but never the chunk's program or the newest program. */
  #giveBack(rows: number): void {
    for (const [size, { arena }] of this.#batches) {
      if (this.#batches.size <= KEPT || this.#kept <= (this.#most ??= batchSizes(this.#parts).kept)) return;
      if (size === this.#parts.chunk || size === rows) continue;
      this.#kept -= arena.bytes;
      arena.dispose();
      this.#batches.delete(size);
    }
  }

  dispose(): void {
    for (const { arena } of [...this.#batches.values(), ...this.#rooms.values()]) arena.dispose();
    this.#batches.clear();
    this.#rooms.clear();
    this.#scratch.arena?.dispose();
    this.#arena.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #room(capacity: number): Room {
    const known = this.#rooms.get(capacity);
    if (known) return known;
    const { plan, buffers, programs, where } = this.#parts;
    const elementBytes = plan.precision === "f64" ? 8 : 4;
    const made = this.#filled((arena) => {
      const workspaces = [...programsOf(programs.at(capacity))].map((program) => {
        const places = placesOf(program, elementBytes, where);
        return { address: arena.take(places.bytes), places, sizes: program.values.map(({ size }) => size) };
      });
      const addressOf = ({ name, size }: PlanBuffer): number =>
        this.#parameters.get(name) ?? arena.take(countAt(size, capacity) * elementBytes);
      return { arena, workspaces, at: new Map(buffers.map((buffer) => [buffer.name, addressOf(buffer)])) };
    });
    this.#rooms.set(capacity, made);
    return made;
  }

  #arranged(rows: number, room: Room, arena: Arena): Batch {
    const { plan, programs, deterministic, where } = this.#parts;
    const { at, workspaces } = room;
    const scratch = this.#scratch;
    const context = {
      ...{ engine: this.machine, arena, workspaces: workspaces.values(), precision: plan.precision, deterministic, where },
      ...{ constants: this.#constants, scratch },
    };
    const program = new ReadyProgram(programs.checked(rows), context);
    if (!scratch.arena || scratch.arena.bytes < scratch.bytes) this.#takeScratch();
    for (const [name, address] of at) program.point(name, address);
    const shows = showsResidue(programs.checked(rows), this.#parts.buffers, rows, plan.precision === "f64" ? 8 : 4);
    return { program: shows ? this.#clearing(program, rows, room) : program, arena, at };
  }

  /** Wraps a program so that, before each call, all memory to which it writes is cleared. */
  #clearing(program: ReadyProgram, rows: number, { at, workspaces }: Room): { run(): void } {
    const { plan, buffers } = this.#parts;
    const { memory } = this.machine;
    const elementBytes = plan.precision === "f64" ? 8 : 4;
    const outputs = buffers.filter((buffer) => !isGiven(buffer));
    return {
      run: () => {
        for (const { address, places } of workspaces) memory.u8(address, places.bytes).fill(0);
        for (const { name, size } of outputs) memory.u8(at.get(name)!, countAt(size, rows) * elementBytes).fill(0);
        program.run();
      },
    };
  }

  /**
   * Replaces scratch memory that is too small. If larger scratch memory cannot be allocated, other programs continue
   * with the old scratch memory.
   */
  #takeScratch(): void {
    const scratch = this.#scratch;
    const { arena, address } = this.#filled((arena) => ({ arena, address: arena.take(scratch.bytes) }));
    scratch.arena?.dispose();
    Object.assign(scratch, { arena, address });
  }

  /**
   * Fills a new arena and returns the result. If filling fails, the arena is freed. Otherwise, it is freed together
   * with the owner.
   */
  #filled<T extends { readonly arena: Arena }>(fill: (arena: Arena) => T): T {
    const arena = new Arena(this.machine.memory, this.#parts.where);
    const made = released(arena, () => fill(arena));
    const owner = this.#owner?.deref();
    if (owner) arena.ownedBy(owner, own);
    return made;
  }

  /** Copies a constant or parameter into memory and returns its address. */
  #placed(name: string, size: number, numbers: PlanParts["numbers"]): number {
    const at = this.#arena.take(size * (this.#parts.plan.precision === "f64" ? 8 : 4));
    this.view(at, size).set(numbers[name]);
    return at;
  }
}

/** Frees the arena if filling it fails. */
function released<T>(arena: Arena, fill: () => T): T {
  try {
    return fill();
  } catch (error) {
    arena.dispose();
    throw error;
  }
}
