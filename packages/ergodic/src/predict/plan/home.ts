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

/** Sizes of batches whose programs are kept at least; more, as long as all together are no larger than what a batch computes with. */
export const KEPT = 4;

export interface PlanParts {
  readonly plan: ArrayPlan;
  readonly buffers: readonly PlanBuffer[];
  readonly programs: PlanPrograms;
  /** The plan's constants and the parameters, by name. */
  readonly numbers: Readonly<Record<string, ArrayLike<number>>>;
  readonly chunk: number;
  readonly deterministic: boolean;
  readonly where: string;
}

/** @throws DataError for numbers that are missing or of another length */
export function checkNumbers({ plan, buffers, numbers, where }: Pick<PlanParts, "plan" | "buffers" | "numbers" | "where">): void {
  for (const { name, size } of [...constantsOf(plan), ...parametersOf(buffers)]) {
    const values = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
    if (values?.length === size) continue;
    const what = values ? `has ${values.length} numbers` : "is missing";
    const message = `"${name}" ${what}, but ${size} are wanted; the file is damaged, export it again`;
    throw new DataError(where, message, "MODEL_FORMAT");
  }
}

/** Input and output of a batch where they lie, and what computes the one from the other. */
export interface OpenBatch {
  readonly input: Float32Array | Float64Array;
  /** Whether all numbers of the input are finite. */
  isFinite(): boolean;
  readonly output: Float32Array | Float64Array;
  run(): void;
}

export interface Batch {
  /** Views on it, once they were asked for. */
  open?: OpenBatch;
  readonly program: { run(): void };
  /** Addresses of inputs and outputs. */
  readonly at: ReadonlyMap<string, number>;
  /** Holds the program. */
  readonly arena: Arena;
}

/** What batches of up to so many rows compute with in turn: inputs, outputs, and what lies between the steps. */
interface Room {
  readonly arena: Arena;
  /** Addresses of inputs and outputs. */
  readonly at: ReadonlyMap<string, number>;
  readonly workspaces: readonly Workspace[];
}

/** Rows of the room that a batch is computed in: the chunk, halved as often as the batch still fits. So all rooms together are less than two of a chunk. */
function capacityOf(rows: number, chunk: number): number {
  const half = Math.floor(chunk / 2);
  return half >= rows ? capacityOf(rows, half) : chunk;
}

export type BatchParts = Pick<PlanParts, "plan" | "buffers" | "programs" | "chunk" | "where">;

/** Bytes that a plan takes for batches at most, besides constants and parameters: for rooms, for programs that are kept, for one that is made, and for an answer. */
export function batchesBytes(parts: BatchParts): number {
  const { rooms, code, kept, scratch } = batchSizes(parts);
  // The answer for one row, in float64.
  const given = parts.buffers.reduce((sum, { size, isWritten }) => sum + (isWritten ? 8 * countAt(size, 1) : 0), 0);
  return rooms + kept + code + 2 * scratch + given;
}

/** Bytes of all rooms, of a chunk's program, of all programs that are kept, and of scratch. */
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
  // A smaller room has its share of the values that grow with the rows, and all values that do not.
  const smaller = chunk === 1 ? 0 : room + Math.ceil(Math.log2(chunk)) * sizesAt(1).room;
  return { rooms: room + smaller, code, kept: Math.min(Math.max(KEPT * code, room), chunk * code), scratch };
}

/**
 * A plan in a memory: its constants and parameters, and a program for each size of batch that was wanted. A server's batches are of any size, one after another:
 * programs are small and are kept, and what they compute with is shared.
 *
 * @throws MemoryLimitError where the memory cannot hold a batch
 */
export class PlanHome implements Disposable {
  readonly machine: Machine;
  readonly #parts: Omit<PlanParts, "numbers">;
  readonly #arena: Arena;
  /** Addresses. */
  readonly #constants: ReadonlyMap<string, number>;
  readonly #parameters: ReadonlyMap<string, number>;
  readonly #batches = new Map<number, Batch>();
  /** By their rows. */
  readonly #rooms = new Map<number, Room>();
  /** Bytes of programs. */
  #kept = 0;
  /** Bytes that they may take together before the oldest is given back. */
  #most: number | undefined;
  /** For one kernel at a time, as large as any program wanted so far. */
  readonly #scratch: { bytes: number; address: number; arena?: Arena | undefined } = { bytes: 0, address: 0 };
  /** With whom memory that others use, too, is given back; of a memory of its own nothing is. */
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

  /** The oldest programs, where there are too many: not the chunk's, nor that of so many rows, which was just made. */
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

  /** Clears all that it writes to before each call. */
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

  /** In place of the piece that was too small, with which other programs work on where there is no memory for a larger one. */
  #takeScratch(): void {
    const scratch = this.#scratch;
    const { arena, address } = this.#filled((arena) => ({ arena, address: arena.take(scratch.bytes) }));
    scratch.arena?.dispose();
    Object.assign(scratch, { arena, address });
  }

  /** What an arena was made for; given back where that fails, and with the owner. */
  #filled<T extends { readonly arena: Arena }>(fill: (arena: Arena) => T): T {
    const arena = new Arena(this.machine.memory, this.#parts.where);
    const made = released(arena, () => fill(arena));
    const owner = this.#owner?.deref();
    if (owner) arena.ownedBy(owner, own);
    return made;
  }

  /** The address of a constant or parameter, copied into memory. */
  #placed(name: string, size: number, numbers: PlanParts["numbers"]): number {
    const at = this.#arena.take(size * (this.#parts.plan.precision === "f64" ? 8 : 4));
    this.view(at, size).set(numbers[name]);
    return at;
  }
}

/** Gives the arena's memory back if what fills it fails. */
function released<T>(arena: Arena, fill: () => T): T {
  try {
    return fill();
  } catch (error) {
    arena.dispose();
    throw error;
  }
}
