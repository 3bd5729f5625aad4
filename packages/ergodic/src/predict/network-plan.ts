/**
 * A saved network's plan (host/array-plan.ts), ready to predict without the compiler: inputs and outputs by name, any number of rows.
 *
 * Rows are taken in chunks, each computed as one batch; the memory of a batch is arranged when it is first wanted. An input or output whose size grows with
 * the batch holds one row after another; all other inputs are parameters, given once. The sums of a product over a batch of one row run in another
 * order than those of several, so that a row's last bits may depend on how many rows are given with it.
 *
 * @throws DataError for a plan that is damaged, of a later version, or lacks parameters; OptionError for inputs that are missing or of another length
 */
import { assert, checkNumber, DataError, OptionError } from "../base/errors.ts";
import { Arena } from "../host/arena.ts";
import { type ArrayPlan, countAt, PLAN_VERSION, planAt } from "../host/array-plan.ts";
import type { Engine } from "../host/engine.ts";
import { own } from "../host/memory.ts";
import { buffersOf, fixedOf, growsWithRows, type PlanBuffer, rowSize } from "./plan-buffers.ts";
import { checkProgram } from "./plan-check.ts";
import { placesOf } from "./plan-memory.ts";
import { ReadyProgram } from "./plan-program.ts";

export interface NetworkPlanOptions {
  /** Rows of a batch at most; 64, or as many as keep what lies between the layers within 64 MiB. */
  readonly chunk?: number;
  /** The same bits on every host. */
  readonly deterministic?: boolean;
  /** The file, for errors. */
  readonly where?: string;
}

/** Batches of other sizes that are kept: the last chunk's, a single row. */
const KEPT = 4;
const MOST_BETWEEN = 2 ** 26;

interface Batch {
  readonly program: ReadyProgram;
  readonly arena: Arena;
  /** Addresses of inputs and outputs. */
  readonly at: ReadonlyMap<string, number>;
}

export class NetworkPlan implements Disposable {
  readonly #engine: Engine;
  readonly #plan: ArrayPlan;
  readonly #where: string;
  readonly #chunk: number;
  readonly #deterministic: boolean;
  readonly #buffers: readonly PlanBuffer[];
  readonly #arena: Arena;
  /** Addresses of constants and parameters. */
  readonly #fixed: ReadonlyMap<string, number>;
  readonly #batches = new Map<number, Batch>();

  /** `numbers`: the plan's constants and the parameters, by name. */
  constructor(
    engine: Engine,
    plan: ArrayPlan,
    numbers: Readonly<Record<string, ArrayLike<number>>>,
    { chunk, deterministic = false, where = "model" }: NetworkPlanOptions = {},
  ) {
    if (chunk !== undefined) checkNumber("predict", "chunk", chunk, { low: 1, integer: true });
    checkVersion(plan, where);
    this.#engine = engine;
    this.#plan = plan;
    this.#where = where;
    checkProgram(planAt(plan, 1), where);
    this.#chunk = chunk ?? chunkOf(plan);
    this.#deterministic = deterministic;
    this.#buffers = buffersOf(plan);
    const uneven = this.#buffers.find(({ size }) => typeof size !== "number" && size.plus !== 0);
    if (uneven)
      throw new DataError(
        where,
        `"${uneven.name}" is not a number of rows; the file is damaged, export it again`,
        "MODEL_FORMAT",
      );
    this.#arena = new Arena(engine.memory, where);
    const fixed = new Map<string, number>();
    this.#fixed = fixed;
    released(this.#arena, () => {
      for (const { name, size } of fixedOf(plan, this.#buffers)) fixed.set(name, this.#placed(name, size, numbers));
    });
    this.#arena.ownedBy(this, own);
  }

  /** Names of what `run` takes. */
  get inputs(): readonly string[] {
    return this.#buffers.filter((b) => b.isRead && growsWithRows(b.size)).map((b) => b.name);
  }

  get outputs(): readonly string[] {
    return this.#buffers.filter((b) => b.isWritten).map((b) => b.name);
  }

  /** Numbers of one row of an input or output. */
  rowSize(name: string): number {
    const buffer = this.#buffers.find((b) => b.name === name);
    assert(buffer, `the plan has no input or output "${name}"`);
    return rowSize(buffer);
  }

  /** Outputs of `rowCount` rows, one row after another, from inputs that lie so. */
  run(inputs: Readonly<Record<string, ArrayLike<number>>>, rowCount: number): Record<string, Float64Array> {
    checkNumber(this.#where, "rowCount", rowCount, { low: 0, integer: true });
    const taken = this.#buffers.filter((b) => b.isRead && growsWithRows(b.size));
    for (const buffer of taken) this.#checkInput(buffer, inputs, rowCount);
    const written = this.#buffers.filter((b) => b.isWritten);
    const results = Object.fromEntries(written.map((b) => [b.name, new Float64Array(countAt(b.size, rowCount))]));
    for (let from = 0; from < rowCount; from += this.#chunk) {
      const rows = Math.min(this.#chunk, rowCount - from);
      const { program, at } = this.#batch(rows);
      for (const buffer of taken) {
        const size = rowSize(buffer);
        this.#view(at.get(buffer.name)!, rows * size).set(part(inputs[buffer.name], from * size, rows * size));
      }
      program.run();
      for (const buffer of written) {
        // What is the same for all rows is given once.
        const first = growsWithRows(buffer.size) ? from * rowSize(buffer) : 0;
        results[buffer.name].set(this.#view(at.get(buffer.name)!, countAt(buffer.size, rows)), first);
      }
    }
    return results;
  }

  dispose(): void {
    for (const { arena } of this.#batches.values()) arena.dispose();
    this.#batches.clear();
    this.#arena.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #view(at: number, count: number): Float32Array | Float64Array {
    return this.#engine.memory[this.#plan.precision](at, count);
  }

  /** The address of a constant or parameter, copied into memory. */
  #placed(name: string, size: number, numbers: Readonly<Record<string, ArrayLike<number>>>): number {
    const values = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
    if (values?.length !== size) {
      const what = values ? `has ${values.length} numbers` : "is missing";
      throw new DataError(
        this.#where,
        `"${name}" ${what}, but ${size} are wanted; the file is damaged, export it again`,
        "MODEL_FORMAT",
      );
    }
    const at = this.#arena.take(size * (this.#plan.precision === "f64" ? 8 : 4));
    this.#view(at, size).set(values);
    return at;
  }

  #checkInput(buffer: PlanBuffer, inputs: Readonly<Record<string, ArrayLike<number>>>, rowCount: number): void {
    const wanted = rowSize(buffer) * rowCount;
    const given = Object.hasOwn(inputs, buffer.name) ? inputs[buffer.name].length : undefined;
    if (given === wanted) return;
    const message = `the input "${buffer.name}" ${given === undefined ? "is missing" : `has ${given} numbers`}, but ${rowCount} rows of ${rowSize(buffer)} are wanted`;
    throw new OptionError(this.#where, `${message}; give them one row after another`, "PREDICT_INPUT");
  }

  #batch(rows: number): Batch {
    const known = this.#batches.get(rows);
    if (known) return known;
    const arena = new Arena(this.#engine.memory, this.#where);
    const made = released(arena, () => this.#arranged(rows, arena));
    if (this.#batches.size >= KEPT) {
      const oldest = [...this.#batches.keys()].find((size) => size !== this.#chunk)!;
      this.#batches.get(oldest)!.arena.dispose();
      this.#batches.delete(oldest);
    }
    this.#batches.set(rows, made);
    arena.ownedBy(this, own);
    return made;
  }

  #arranged(rows: number, arena: Arena): Batch {
    const { precision } = this.#plan;
    const scratch = { bytes: 0, address: 0 };
    const context = {
      engine: this.#engine,
      arena,
      precision,
      deterministic: this.#deterministic,
      where: this.#where,
      constants: this.#fixed,
      scratch,
    };
    const program = new ReadyProgram(planAt(this.#plan, rows), context);
    scratch.address = arena.take(scratch.bytes);
    const at = new Map<string, number>();
    for (const { name, size } of this.#buffers) {
      const address = this.#fixed.get(name) ?? arena.take(countAt(size, rows) * (precision === "f64" ? 8 : 4));
      program.point(name, address);
      at.set(name, address);
    }
    return { program, arena, at };
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

function chunkOf(plan: ArrayPlan): number {
  let rows = 64;
  while (rows > 1 && placesOf(planAt(plan, rows), plan.precision === "f64" ? 8 : 4).bytes > MOST_BETWEEN) rows /= 2;
  return rows;
}

/** Numbers [from, from + count), without a copy where they lie in a typed array. */
function part(values: ArrayLike<number>, from: number, count: number): ArrayLike<number> {
  if (from === 0 && count === values.length) return values;
  if (values instanceof Float64Array || values instanceof Float32Array) return values.subarray(from, from + count);
  return Array.from({ length: count }, (_, i) => values[from + i]);
}

function checkVersion(plan: ArrayPlan, where: string): void {
  const { version, precision } = plan;
  if (version > PLAN_VERSION) {
    const message = `has a plan of version ${version}, but this library reads up to ${PLAN_VERSION}; update ergodic`;
    throw new DataError(where, message, "MODEL_VERSION");
  }
  if (typeof version !== "number" || (precision !== "f32" && precision !== "f64")) {
    const message = `holds a plan of version ${String(version)} and precision ${String(precision)}; the file is damaged, export it again`;
    throw new DataError(where, message, "MODEL_FORMAT");
  }
}
