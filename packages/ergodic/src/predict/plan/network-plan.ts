import { checkNumber, DataError, ErgodicError, OptionError, WorkerError } from "../../engine/errors/errors.ts";
import { type ArrayPlan, countAt } from "../../engine/memory/array-plan.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { type Limits, refuseMemory } from "../limits.ts";
import { roomOf } from "../room-of.ts";
import { buffersOf, constantsOf, growsWithRows, type PlanBuffer, parametersOf, rowSize } from "./buffers.ts";
import { PlanPrograms } from "./checked-programs.ts";
import { damaged, readPlan } from "./format.ts";
import { type BatchParts, batchesBytes, checkNumbers, type OpenBatch, PlanHome, type PlanParts } from "./home.ts";
import { forgetMemory, type HasMemory, madeMemory, noteMemory } from "./live-memories.ts";
import { placesOf } from "./value-places.ts";

/** Options of a network's plan. `maxWork` and `maxMemory` are unlimited by default. */
export interface NetworkPlanOptions extends Partial<Limits> {
  /**
   * Largest number of rows of a batch. Default 64, or fewer if the values between layers would need more than 64 MiB.
   */
  readonly chunk?: number;
  /** Whether results have the same bits on every host. */
  readonly deterministic?: boolean;
  /** Name of the file, for errors. */
  readonly where?: string;
  /** Whether the plan runs in its own memory. By default it runs in the engine's. */
  readonly apart?: boolean;
}

const MOST_BETWEEN = 2 ** 26;
const PAGE = 65536;
/**
 * Number of memory pages for the kernels' static data, as in memory/memory.ts, plus the same number for padding between
 * small pieces.
 */
const LEAST_PAGES = 32;
const MOST_PAGES = 65536;

/**
 * A saved network's plan (memory/array-plan.ts), ready to predict without the compiler. The plan reads inputs and
 * returns outputs by name, for any number of rows.
 *
 * Rows are processed in chunks, each computed as one batch. The memory of a batch is laid out when it is first needed.
 * An input or output that grows with the batch contains the rows one after another. All other inputs are parameters,
 * which are given once. The sums of a product run in a different order if there is only one row, so the last bits of a
 * row's result can depend on how many rows are predicted together.
 *
 * A loaded plan runs in its own memory. Regardless of the contents of the file, the plan therefore cannot access
 * anything else in the process, and a trap has no lasting effect. Before it runs, its types (format.ts), its accesses
 * for each batch size (check.ts), its work (work.ts) and its memory (home.ts) are checked.
 *
 * @throws DataError for a plan that is damaged, of a later version, too much work or memory, or lacks parameters;
 * OptionError for inputs that are missing or of another length; WorkerError if a kernel traps
 */
export class NetworkPlan implements Disposable, HasMemory {
  readonly #engine: Engine;
  readonly #parts: PlanParts;
  readonly #inputs: readonly PlanBuffer[];
  readonly #outputs: readonly PlanBuffer[];
  readonly #apart: WeakRef<HasMemory> | undefined;
  #home: PlanHome | undefined;
  #isDisposed = false;

  /** `numbers`: constants of the plan and parameters, by name. */
  constructor(
    engine: Engine,
    given: ArrayPlan,
    numbers: Readonly<Record<string, ArrayLike<number>>>,
    {
      chunk,
      deterministic = false,
      where = "model",
      apart = false,
      maxWork = Infinity,
      maxMemory = Infinity,
    }: NetworkPlanOptions = {},
  ) {
    if (chunk !== undefined) checkNumber("predict", "chunk", chunk, { low: 1, integer: true });
    const plan = readPlan(given, where);
    const buffers = buffersOf(plan);
    const uneven = buffers.find(({ size }) => typeof size !== "number" && size.plus !== 0);
    if (uneven)
      throw new DataError(
        where,
        `the size of "${uneven.name}" is not a whole number of rows; the file is damaged, export it again`,
        "MODEL_FORMAT",
      );
    const programs = new PlanPrograms({ plan, buffers, maxWork, where });
    const known = { plan, buffers, programs, numbers, deterministic, where };
    programs.checked(1);
    this.#parts = { ...known, chunk: chunk ?? chunkOf(known, maxMemory) };
    programs.checked(this.#parts.chunk);
    if (maxMemory < Infinity) refuseMemory(batchesBytes(this.#parts), maxMemory, where);
    checkNumbers(known);
    this.#inputs = buffers.filter((b) => b.isRead && growsWithRows(b.size));
    this.#outputs = buffers.filter((b) => b.isWritten);
    this.#engine = engine;
    this.#apart = apart ? new WeakRef<HasMemory>(this) : undefined;
    if (!apart) this.#opened();
  }

  /** Names of the inputs of `run`. */
  get inputs(): readonly string[] {
    return this.#inputs.map(({ name }) => name);
  }

  get outputs(): readonly string[] {
    return this.#outputs.map(({ name }) => name);
  }

  /** Returns the number of values in one row of an input or output. */
  rowSize(name: string): number {
    const buffer = this.#parts.buffers.find((b) => b.name === name);
    if (!buffer) throw damaged(this.#parts.where, `has no input or output "${name}"`);
    return rowSize(buffer);
  }

  /** Returns whether the buffer grows with the rows. */
  isOfRows(name: string): boolean {
    return this.#parts.buffers.some((b) => b.name === name && growsWithRows(b.size));
  }

  /** Largest number of rows of a batch. */
  get chunk(): number {
    return this.#parts.chunk;
  }

  /**
   * Opens a batch in memory, for a plan with one input and one output of rows. The batch must be filled, run and read
   * before the plan is used again.
   */
  open(rows: number, input: string, output: string): OpenBatch {
    const home = this.#opened();
    const batch = home.batch(rows);
    const at = batch.at.get(input);
    // When an unshared memory grows, existing views of it become empty.
    if (!batch.open || batch.open.output.length === 0) {
      // If the output of a network is the same for all rows, the network has no input.
      const x = at === undefined ? NOTHING : home.view(at, rows * this.rowSize(input));
      const areFinite = home.machine.kernel(
        x instanceof Float64Array ? "areFiniteF64" : "areFiniteF32",
        this.#parts.deterministic,
      );
      batch.open = {
        input: x,
        isFinite: () => areFinite(at ?? 0, x.length) === 1,
        output: home.view(batch.at.get(output)!, rows * this.rowSize(output)),
        run: () => this.#called(batch.program),
      };
    }
    return batch.open;
  }

  /** Computes the outputs of `rowCount` rows. Inputs and outputs contain the rows one after another. */
  run(inputs: Readonly<Record<string, ArrayLike<number>>>, rowCount: number): Record<string, Float64Array> {
    const { where, chunk } = this.#parts;
    checkNumber(where, "rowCount", rowCount, { low: 0, integer: true });
    for (const buffer of this.#inputs) this.#checkInput(buffer, inputs, rowCount);
    const home = this.#opened();
    const results = Object.fromEntries(this.#outputs.map((b) => [b.name, roomOf(countAt(b.size, rowCount), where)]));
    for (let from = 0; from < rowCount; from += chunk) {
      const rows = Math.min(chunk, rowCount - from);
      const { program, at } = home.batch(rows);
      for (const buffer of this.#inputs) {
        const size = rowSize(buffer);
        home.view(at.get(buffer.name)!, rows * size).set(part(inputs[buffer.name], from * size, rows * size));
      }
      this.#called(program);
      for (const buffer of this.#outputs) {
        // An output that does not depend on the row is written only once.
        const first = growsWithRows(buffer.size) ? from * rowSize(buffer) : 0;
        results[buffer.name].set(home.view(at.get(buffer.name)!, countAt(buffer.size, rows)), first);
      }
    }
    return results;
  }

  /** Size in bytes of the memory in which the plan runs; 0 if it has no memory yet. */
  get memoryBytes(): number {
    return this.#home?.machine.memory.reservedBytes ?? 0;
  }

  giveUp(): void {
    if (this.#apart) this.#home = undefined;
  }

  dispose(): void {
    this.#isDisposed = true;
    if (this.#apart) forgetMemory(this.#apart);
    else this.#home?.dispose();
    this.#home = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #opened(): PlanHome {
    const { where } = this.#parts;
    if (this.#isDisposed)
      throw new OptionError(where, "was used after dispose(); load it again, or dispose it later", "PREDICT_DISPOSED");
    if (!this.#apart) return (this.#home ??= new PlanHome(this.#engine, this.#parts, this));
    this.#home ??= this.#homeApart();
    noteMemory(this.#apart);
    return this.#home;
  }

  #homeApart(): PlanHome {
    const memory = madeMemory(() => this.#engine.apart(pagesOf(this.#parts)));
    return new PlanHome(memory, this.#parts);
  }

  /** Runs a program. A trap can leave the memory in any state, so a plan's own memory is dropped. */
  #called(program: { run(): void }): void {
    try {
      program.run();
    } catch (cause) {
      if (cause instanceof ErgodicError) throw cause;
      this.giveUp();
      const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
      const advice = this.#apart ? "the file is damaged, export it again" : "please report it";
      throw new WorkerError(this.#parts.where, `a kernel of the plan failed: ${name}: ${message}; ${advice}`, "WORKER_TRAP", {
        cause,
      });
    }
  }

  #checkInput(buffer: PlanBuffer, inputs: Readonly<Record<string, ArrayLike<number>>>, rowCount: number): void {
    const wanted = rowSize(buffer) * rowCount;
    const given = Object.hasOwn(inputs, buffer.name) ? inputs[buffer.name].length : undefined;
    if (given === wanted) return;
    const message = `the input "${buffer.name}" ${given === undefined ? "is missing" : `has ${given} numbers`}, but ${rowCount} rows of ${rowSize(buffer)} are wanted`;
    throw new OptionError(this.#parts.where, `${message}; give them one row after another`, "PREDICT_INPUT");
  }
}

const NOTHING = new Float32Array(0);

function chunkOf(known: Omit<BatchParts, "chunk">, maxMemory: number): number {
  const { plan, programs, where } = known;
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  let rows = 64;
  while (rows > 1 && placesOf(programs.at(rows), elementBytes, where).bytes > MOST_BETWEEN) rows /= 2;
  while (rows > 1 && maxMemory < Infinity && batchesBytes({ ...known, chunk: rows }) > maxMemory) rows /= 2;
  return rows;
}

/**
 * Maximum memory of the plan in pages. It includes all cached batches, a batch that is being made, and a margin for
 * fragmentation.
 */
function pagesOf(parts: PlanParts): number {
  const { plan, buffers } = parts;
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  const fixed = [...constantsOf(plan), ...parametersOf(buffers)].reduce((sum, { size }) => sum + size * elementBytes + 64, 0);
  return Math.min(LEAST_PAGES + Math.ceil((1.25 * (fixed + batchesBytes(parts))) / PAGE), MOST_PAGES);
}

/** Returns elements from … from + count − 1. A typed array is not copied. */
function part(values: ArrayLike<number>, from: number, count: number): ArrayLike<number> {
  if (from === 0 && count === values.length) return values;
  if (values instanceof Float64Array || values instanceof Float32Array) return values.subarray(from, from + count);
  return Array.from({ length: count }, (_, i) => values[from + i]);
}
