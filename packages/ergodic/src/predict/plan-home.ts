import { DataError } from "../base/errors.ts";
import { Arena } from "../host/arena.ts";
import { type ArrayPlan, countAt, type PlanProgram, planAt } from "../host/array-plan.ts";
import type { Machine } from "../host/engine.ts";
import { own } from "../host/memory.ts";
import { constantsOf, type PlanBuffer, parametersOf } from "./plan-buffers.ts";
import { checkProgram } from "./plan-check.ts";
import { ReadyProgram } from "./plan-program.ts";
import { workOf } from "./plan-work.ts";

/** Batches of other sizes that are kept: the last chunk's, a single row. */
export const KEPT = 4;

export interface PlanParts {
  readonly plan: ArrayPlan;
  readonly buffers: readonly PlanBuffer[];
  /** The plan's constants and the parameters, by name. */
  readonly numbers: Readonly<Record<string, ArrayLike<number>>>;
  readonly chunk: number;
  /** Most work of a row. */
  readonly maxWork: number;
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

/**
 * The plan's program for a batch, which has been checked.
 *
 * @throws DataError where it does not fit together, or is more work than `maxWork` a row
 */
export function programAt(
  { plan, buffers, maxWork, where }: Pick<PlanParts, "plan" | "buffers" | "maxWork" | "where">,
  rows: number,
): PlanProgram<number> {
  const program = planAt(plan, rows);
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  const rooms = new Map(buffers.map(({ name, size, isWritten }) => [name, { size: countAt(size, rows), isWritten }]));
  checkProgram(program, rooms, elementBytes, where);
  const work = workOf(program, elementBytes, where) / rows;
  if (work <= maxWork) return program;
  const message =
    `is ${work.toPrecision(2)} multiply-adds of work a row, but maxWork is ${maxWork}; ` +
    "if you trust the file, load it with a larger maxWork";
  throw new DataError(where, message, "MODEL_WORK");
}

/** Input and output of a batch where they lie, and what computes the one from the other. */
export interface OpenBatch {
  readonly input: Float32Array | Float64Array;
  readonly output: Float32Array | Float64Array;
  run(): void;
}

export interface Batch {
  /** Views on it, once they were asked for. */
  open?: OpenBatch;
  readonly program: ReadyProgram;
  /** Addresses of inputs and outputs. */
  readonly at: ReadonlyMap<string, number>;
  readonly arena: Arena;
}

/**
 * A plan in a memory: its constants and parameters, and a program for each size of batch that was wanted. It keeps the last few.
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
    const arena = new Arena(this.machine.memory, this.#parts.where);
    const made = released(arena, () => this.#arranged(rows, arena));
    if (this.#batches.size >= KEPT) {
      const oldest = [...this.#batches.keys()].find((size) => size !== this.#parts.chunk)!;
      this.#batches.get(oldest)!.arena.dispose();
      this.#batches.delete(oldest);
    }
    this.#batches.set(rows, made);
    const owner = this.#owner?.deref();
    if (owner) arena.ownedBy(owner, own);
    return made;
  }

  dispose(): void {
    for (const { arena } of this.#batches.values()) arena.dispose();
    this.#batches.clear();
    this.#arena.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #arranged(rows: number, arena: Arena): Batch {
    const { plan, buffers, deterministic, where } = this.#parts;
    const { precision } = plan;
    const made = programAt(this.#parts, rows);
    const scratch = { bytes: 0, address: 0 };
    const context = { engine: this.machine, arena, precision, deterministic, where, constants: this.#constants, scratch };
    const program = new ReadyProgram(made, context);
    scratch.address = arena.take(scratch.bytes);
    const at = new Map<string, number>();
    for (const { name, size } of buffers) {
      const address = this.#parameters.get(name) ?? arena.take(countAt(size, rows) * (precision === "f64" ? 8 : 4));
      program.point(name, address);
      at.set(name, address);
    }
    return { program, arena, at };
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
