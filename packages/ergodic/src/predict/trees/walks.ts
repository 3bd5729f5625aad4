import type { ReadRow } from "../../engine/data/rows.ts";
import { MemoryLimitError } from "../../engine/errors/errors.ts";
import { walksModule } from "../../engine/memory/builds/walks.ts";
import { madeMemory } from "../plan/live-memories.ts";
import { type Ensemble, INCLUSIVE, MISSING_LEFT, NAN_IS_ZERO, startOf, ZERO_MISSING } from "./ensemble.ts";
import { addPlainly, divideSums } from "./plain.ts";

/** The kernel, described in kernels/predict/walks.ts. Addresses are in bytes. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  placeRows(
    given: number,
    rows: number,
    columns: number,
    table: number,
    places: number,
    at: number,
    rowBytes: number,
    isF32: boolean,
  ): void;
  walks(
    roots: number,
    outputOf: number,
    trees: number,
    at: number,
    rows: number,
    rowBytes: number,
    z: number,
    outputs: number,
    width: number,
    isF32: boolean,
    hasSets: boolean,
  ): void;
}

const NODE = 16;
const PAGE = 65536;
/** Number of trees that the kernel may walk after the last one. */
const SPARE = 7;
/** Size in bytes of a block of rows, which should stay in the processor's cache. */
const BLOCK = 1 << 17;
/** Largest memory of the kernel in bytes. Larger ensembles are computed by the plain loop. */
const MOST = 1 << 30;
/** Bits of a rule that determine what a number counts as before it is compared. */
const READING = MISSING_LEFT | ZERO_MISSING | NAN_IS_ZERO;

let compiled: WebAssembly.Module | undefined;

/**
 * An ensemble in the memory of a kernel, where rows are walked eight at a time.
 *
 * A row is stored once per column and treatment of missing values: where they go left, they are stored as −∞, otherwise
 * as NaN, so nodes need only compare. Such a number is called a place. Place 0 is −∞ (see the kernel).
 */
export class Walks {
  readonly #kernel: Kernel;
  readonly #ensemble: Ensemble;
  /** Columns that the trees use, in ascending order. */
  readonly #columns: Uint32Array;
  /** Position of each column in `#columns`, for sparse rows. */
  readonly #positionOf: ReadonlyMap<number, number>;
  readonly #placeCount: number;
  readonly #addresses: {
    readonly roots: number;
    readonly outputOf: number;
    readonly table: number;
    readonly given: number;
    readonly rows: number;
    readonly z: number;
  };
  readonly #blockRows: number;
  readonly #numbers: Float64Array;

  /**
   * Returns the walks of an ensemble, or null if only the plain loop can compute them: on hosts that forbid
   * WebAssembly, without enough memory, and for infinite thresholds. A holder that keeps them notes its uses
   * (plan/live-memories.ts).
   */
  static of(ensemble: Ensemble): Walks | null {
    if (ensemble.threshold.some((t) => t - t !== 0)) return null;
    try {
      return madeMemory(() => new Walks(ensemble));
    } catch (error) {
      if (error instanceof WebAssembly.CompileError || error instanceof MemoryLimitError) return null;
      throw error;
    }
  }

  private constructor(ensemble: Ensemble) {
    this.#ensemble = ensemble;
    const outputs = ensemble.base.length;
    const { firstNode, outputOf, feature, threshold, left, right, rule, set, sets, values, leafWidth } = ensemble;
    const nodes = feature.length;
    const trees = outputOf.length;
    const places = placesOf(ensemble);
    this.#columns = places.columns;
    this.#placeCount = places.table.length / 2;
    this.#positionOf = new Map(Array.from(places.columns, (column, k) => [column, k]));
    const groupBytes = 64 * (this.#placeCount + 1);
    const groups = Math.max(1, Math.floor(BLOCK / groupBytes));
    this.#blockRows = 8 * groups;
    // A root needs a pair of nodes as well: it has no sibling.
    const valuesAt = NODE * (nodes + trees + 1);
    const setsAt = valuesAt + (leafWidth > 1 ? 8 * values.length : 0);
    const roots = setsAt + 4 * sets.length;
    const outputsAt = roots + 4 * (trees + SPARE);
    const table = outputsAt + 4 * (trees + SPARE);
    const given = 64 * Math.ceil((table + 4 * places.table.length) / 64);
    const rows = given + 64 * groups * places.columns.length;
    const z = rows + groups * groupBytes;
    const bytes = z + 8 * this.#blockRows * outputs;
    if (bytes > MOST) throw tooLarge(bytes);
    this.#addresses = { roots, outputOf: outputsAt, table, given, rows, z };
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(walksModule), (character) => character.charCodeAt(0)));
    const kernel = instance(compiled, bytes);
    this.#kernel = kernel;
    const { memory } = kernel;
    const f64 = new Float64Array(memory.buffer);
    const u32 = new Uint32Array(memory.buffer);
    this.#numbers = f64;
    // Nodes are placed in pairs of siblings. A parent precedes its children, and trees follow each other.
    const at = new Uint32Array(nodes);
    let next = NODE;
    for (let t = 0; t < trees; t++) {
      at[firstNode[t]] = next;
      u32[roots / 4 + t] = next;
      next += NODE;
      for (let n = firstNode[t]; n < firstNode[t + 1]; n++) {
        const own = at[n];
        if (feature[n] < 0) {
          f64[own / 8] = leafWidth > 1 ? valuesAt + 8 * leafWidth * left[n] : values[left[n]];
          u32[own / 4 + 3] = own;
          continue;
        }
        at[left[n]] = next;
        at[right[n]] = next + NODE;
        const hasSet = set.length > 0 && set[n] >= 0;
        if (hasSet) u32[own / 4] = setsAt + 4 * set[n];
        else f64[own / 8] = rule[n] & INCLUSIVE ? nextAbove(threshold[n]) : threshold[n];
        u32[own / 4 + 2] = 64 * places.of(n) + (hasSet ? 1 : 0);
        u32[own / 4 + 3] = next;
        next += 2 * NODE;
      }
    }
    for (let k = 0; k < SPARE; k++) u32[roots / 4 + trees + k] = u32[roots / 4];
    u32.set(outputOf, outputsAt / 4);
    u32.set(places.table, table / 4);
    u32.set(sets, setsAt / 4);
    if (leafWidth > 1) f64.set(values, valuesAt / 8);
    for (let g = 0; g < groups; g++) f64.fill(-Infinity, (rows + g * groupBytes) / 8, (rows + g * groupBytes) / 8 + 8);
  }

  /**
   * Adds the trees [first, end) to z: float64[count × outputs], for the rows [from, from + count). With first = 0, z
   * starts at the base.
   */
  addTo(read: ReadRow, from: number, count: number, z: Float64Array, first: number, end: number): void {
    const { roots, outputOf, rows, z: zAt } = this.#addresses;
    const { leafWidth, isFloatSum, sets } = this.#ensemble;
    const start = startOf(this.#ensemble);
    const outputs = start.length;
    const own = this.#numbers;
    const groupBytes = 64 * (this.#placeCount + 1);
    for (let done = 0; done < count; done += this.#blockRows) {
      const some = Math.min(this.#blockRows, count - done);
      this.#readRows(read, from + done, some);
      for (let i = 0; i < some; i++)
        for (let k = 0; k < outputs; k++)
          own[zAt / 8 + (i >>> 3) * outputs * 8 + 8 * k + (i & 7)] = first === 0 ? start[k] : z[(done + i) * outputs + k];
      this.#kernel.walks(
        roots + 4 * first,
        outputOf + 4 * first,
        end - first,
        rows,
        some,
        groupBytes,
        zAt,
        outputs,
        leafWidth,
        isFloatSum,
        sets.length > 0,
      );
      for (let i = 0; i < some; i++)
        for (let k = 0; k < outputs; k++) z[(done + i) * outputs + k] = own[zAt / 8 + (i >>> 3) * outputs * 8 + 8 * k + (i & 7)];
    }
  }

  /** Copies the columns that the trees use, and writes them to their places. */
  #readRows(read: ReadRow, from: number, count: number): void {
    const own = this.#numbers;
    const columns = this.#columns;
    const { given, table, rows } = this.#addresses;
    for (let i = 0, at = given / 8; i < count; i++, at += columns.length) {
      const row = read(from + i);
      const { values } = row;
      if (row.columns) {
        own.fill(0, at, at + columns.length);
        for (let e = 0; e < row.count; e++) {
          const position = this.#positionOf.get(row.columns[e]);
          if (position !== undefined) own[at + position] = values[e];
        }
      } else for (let k = 0; k < columns.length; k++) own[at + k] = values[columns[k]];
    }
    const places = this.#placeCount;
    const isF32 = this.#ensemble.threshold instanceof Float32Array;
    this.#kernel.placeRows(given, count, columns.length, table, places, rows, 64 * (places + 1), isF32);
  }
}

const tooLarge = (bytes: number, cause?: unknown): MemoryLimitError =>
  new MemoryLimitError("trees", `no memory for ${bytes} bytes of trees`, "MODEL_MEMORY", { cause });

/** @throws MemoryLimitError */
function instance(module: WebAssembly.Module, bytes: number): Kernel {
  try {
    const kernel = new WebAssembly.Instance(module).exports as unknown as Kernel;
    kernel.memory.grow(Math.max(0, Math.ceil((bytes - kernel.memory.buffer.byteLength) / PAGE)));
    return kernel;
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(bytes, error);
    throw error;
  }
}

/** Returns the outputs of `count` rows: float64[count × outputs]. `columns`: number of columns of a row. */
export function outputsOf(ensemble: Ensemble, columns: number, read: ReadRow, count: number): Float64Array {
  const z = new Float64Array(count * ensemble.base.length);
  const walks = Walks.of(ensemble);
  if (walks) walks.addTo(read, 0, count, z, 0, ensemble.outputOf.length);
  else addPlainly(ensemble, columns, read, 0, count, z, 0, ensemble.outputOf.length);
  divideSums(ensemble, z, count);
  return z;
}

/**
 * Lists the columns that occur in an ensemble, and the pairs of column and reading: the table of the kernel. `of` returns
 * the place of a node, from 1.
 */
function placesOf({ feature, rule }: Ensemble): { columns: Uint32Array; table: Uint32Array; of(n: number): number } {
  const columns = Uint32Array.from(new Set(feature.filter((column) => column >= 0))).sort();
  const position = new Map(Array.from(columns, (column, k) => [column, k]));
  const places = new Map<number, number>();
  const key = (n: number): number => position.get(feature[n])! * 16 + (rule[n] & READING);
  for (let n = 0; n < feature.length; n++) if (feature[n] >= 0 && !places.has(key(n))) places.set(key(n), places.size + 1);
  return {
    columns,
    table: Uint32Array.from([...places.keys()].flatMap((k) => [Math.floor(k / 16), k % 16])),
    of: (n) => places.get(key(n))!,
  };
}

/** Returns the smallest number above a finite x. */
function nextAbove(x: number): number {
  if (x === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const number = new Float64Array(bits.buffer);
  number[0] = x;
  bits[0] += x > 0 ? 1n : -1n;
  return number[0];
}
