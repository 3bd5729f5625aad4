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

/** `maxWork` and `maxMemory`: by default any. */
export interface NetworkPlanOptions extends Partial<Limits> {
  /** Rows of a batch at most; 64, or as many as keep what lies between the layers within 64 MiB. */
  readonly chunk?: number;
  /** The same bits on every host. */
  readonly deterministic?: boolean;
  /** The file, for errors. */
  readonly where?: string;
  /** On a memory of its own; by default on the engine's. */
  readonly apart?: boolean;
}

const MOST_BETWEEN = 2 ** 26;
const PAGE = 65536;
/** Static data of the kernels, as in memory/memory.ts, and as much again for what small pieces lose. */
const LEAST_PAGES = 32;
const MOST_PAGES = 65536;

/**
 * A saved network's plan (memory/array-plan.ts), ready to predict without the compiler: inputs and outputs by name, any number of rows.
 *
 * Rows are taken in chunks, each computed as one batch; the memory of a batch is arranged when it is first wanted. An input or
 * output whose size grows with the batch holds one row after another; all other inputs are parameters, given once. The sums of
 * a product over a batch of one row run in another order than those of several, so that a row's last bits may depend on how
 * many rows are given with it.
 *
 * A plan that was loaded runs apart: on a memory of its own, so that it reaches nothing else in the process, whatever its file says, and a trap
 * leaves nothing behind. Before that it is checked: types (format.ts), reach for each batch (check.ts), work (work.ts), memory
 * (home.ts).
 *
 * @throws DataError for a plan that is damaged, of a later version, too much work or memory, or lacks parameters; OptionError for inputs that are missing or of
 * another length; WorkerError where a kernel traps
 */
export class NetworkPlan implements Disposable, HasMemory {
  readonly #engine: Engine;
  readonly #parts: PlanParts;
  readonly #inputs: readonly PlanBuffer[];
  readonly #outputs: readonly PlanBuffer[];
  readonly #apart: WeakRef<HasMemory> | undefined;
  #home: PlanHome | undefined;
  #isDisposed = false;

  /** `numbers`: the plan's constants and the parameters, by name. */
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
        `"${uneven.name}" is not a number of rows; the file is damaged, export it again`,
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

  /** Names of what `run` takes. */
  get inputs(): readonly string[] {
    return this.#inputs.map(({ name }) => name);
  }

  get outputs(): readonly string[] {
    return this.#outputs.map(({ name }) => name);
  }

  /** Numbers of one row of an input or output. */
  rowSize(name: string): number {
    const buffer = this.#parts.buffers.find((b) => b.name === name);
    if (!buffer) throw damaged(this.#parts.where, `has no input or output "${name}"`);
    return rowSize(buffer);
  }

  /** Whether it grows with the rows. */
  isOfRows(name: string): boolean {
    return this.#parts.buffers.some((b) => b.name === name && growsWithRows(b.size));
  }

  /** Rows of a batch at most. */
  get chunk(): number {
    return this.#parts.chunk;
  }

  /** A batch where it lies in memory, of a plan with one input and one output of rows: to be filled, run and read before anything else is asked of the plan. */
  open(rows: number, input: string, output: string): OpenBatch {
    const home = this.#opened();
    const batch = home.batch(rows);
    const at = batch.at.get(input);
    // Memory of one thread that has grown is other memory.
    if (!batch.open || batch.open.output.length === 0) {
      // A network that gives the same for all rows has no input.
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

  /** Outputs of `rowCount` rows, one row after another, from inputs that lie so. */
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
        // What is the same for all rows is given once.
        const first = growsWithRows(buffer.size) ? from * rowSize(buffer) : 0;
        results[buffer.name].set(home.view(at.get(buffer.name)!, countAt(buffer.size, rows)), first);
      }
    }
    return results;
  }

  /** Of the memory that it runs on; 0 where it has none yet. */
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

  /** A trap may leave anything behind in memory: a plan's own is given up. */
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

/** What the plan takes at most, with all the batches that are kept and one that is made: pieces of memory may lie badly. */
function pagesOf(parts: PlanParts): number {
  const { plan, buffers } = parts;
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  const fixed = [...constantsOf(plan), ...parametersOf(buffers)].reduce((sum, { size }) => sum + size * elementBytes + 64, 0);
  return Math.min(LEAST_PAGES + Math.ceil((1.25 * (fixed + batchesBytes(parts))) / PAGE), MOST_PAGES);
}

/** Numbers [from, from + count), without a copy where they lie in a typed array. */
function part(values: ArrayLike<number>, from: number, count: number): ArrayLike<number> {
  if (from === 0 && count === values.length) return values;
  if (values instanceof Float64Array || values instanceof Float32Array) return values.subarray(from, from + count);
  return Array.from({ length: count }, (_, i) => values[from + i]);
}
