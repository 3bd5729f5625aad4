import type { ReadRow } from "../../engine/data/rows.ts";
import { walksModule } from "../../engine/memory/builds/walks.ts";
import { type Ensemble, INCLUSIVE, MISSING_LEFT, NAN_IS_ZERO, ZERO_MISSING, ZERO_SIZE } from "./ensemble.ts";

/** The kernel, described in kernels/predict/walks.ts. Addresses are in bytes. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
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
  readonly #outputs: number;
  /** Columns and readings of places 1, 2, … */
  readonly #columnOf: readonly number[];
  readonly #readingOf: readonly number[];
  /** Places of each column, for sparse rows. */
  readonly #placesOf = new Map<number, number[]>();
  readonly #addresses: { readonly roots: number; readonly outputOf: number; readonly rows: number; readonly z: number };
  readonly #blockRows: number;
  readonly #numbers: Float64Array;

  /**
   * Returns the walks of an ensemble, or null if only the plain loop can compute them: on hosts that forbid
   * WebAssembly, and for ensembles that need too much memory or have infinite thresholds.
   */
  static of(ensemble: Ensemble, outputs: number): Walks | null {
    if (ensemble.threshold.some((t) => t - t !== 0)) return null;
    try {
      return new Walks(ensemble, outputs);
    } catch (error) {
      if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return null;
      throw error;
    }
  }

  private constructor(ensemble: Ensemble, outputs: number) {
    this.#ensemble = ensemble;
    this.#outputs = outputs;
    const { firstNode, outputOf, feature, threshold, left, right, rule, set, sets, values, leafWidth } = ensemble;
    const nodes = feature.length;
    const trees = outputOf.length;
    const places = placesOf(ensemble);
    this.#columnOf = places.columnOf;
    this.#readingOf = places.readingOf;
    for (const [k, column] of places.columnOf.entries())
      this.#placesOf.set(column, [...(this.#placesOf.get(column) ?? []), k + 1]);
    const groupBytes = 64 * (places.columnOf.length + 1);
    const groups = Math.max(1, Math.floor(BLOCK / groupBytes));
    this.#blockRows = 8 * groups;
    // A root needs a pair of nodes as well: it has no sibling.
    const valuesAt = NODE * (nodes + trees + 1);
    const setsAt = valuesAt + (leafWidth > 1 ? 8 * values.length : 0);
    const roots = setsAt + 4 * sets.length;
    const outputsAt = roots + 4 * (trees + SPARE);
    const rows = 64 * Math.ceil((outputsAt + 4 * (trees + SPARE)) / 64);
    const z = rows + groups * groupBytes;
    const bytes = z + 8 * this.#blockRows * outputs;
    if (bytes > MOST) throw new RangeError(`${bytes} bytes`);
    this.#addresses = { roots, outputOf: outputsAt, rows, z };
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(walksModule), (character) => character.charCodeAt(0)));
    const kernel = new WebAssembly.Instance(compiled).exports as unknown as Kernel;
    this.#kernel = kernel;
    const { memory } = kernel;
    memory.grow(Math.max(0, Math.ceil((bytes - memory.buffer.byteLength) / PAGE)));
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
    const { base, leafWidth, isFloatSum, sets } = this.#ensemble;
    const outputs = this.#outputs;
    const own = this.#numbers;
    const groupBytes = 64 * (this.#columnOf.length + 1);
    for (let done = 0; done < count; done += this.#blockRows) {
      const some = Math.min(this.#blockRows, count - done);
      this.#readRows(read, from + done, some);
      for (let i = 0; i < some; i++)
        for (let k = 0; k < outputs; k++)
          own[zAt / 8 + (i >>> 3) * outputs * 8 + 8 * k + (i & 7)] = first === 0 ? base[k] : z[(done + i) * outputs + k];
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

  #readRows(read: ReadRow, from: number, count: number): void {
    const own = this.#numbers;
    const columnOf = this.#columnOf;
    const readingOf = this.#readingOf;
    const places = columnOf.length;
    const rounds = this.#ensemble.threshold instanceof Float32Array;
    const rowsAt = this.#addresses.rows / 8;
    for (let i = 0; i < count; i++) {
      const { values, columns, count: entries } = read(from + i);
      const at = rowsAt + (i >>> 3) * 8 * (places + 1) + (i & 7);
      if (!columns) {
        for (let k = 0; k < places; k++) own[at + 8 * (k + 1)] = placed(values[columnOf[k]], readingOf[k], rounds);
        continue;
      }
      for (let k = 0; k < places; k++) own[at + 8 * (k + 1)] = placed(0, readingOf[k], rounds);
      for (let e = 0; e < entries; e++)
        for (const place of this.#placesOf.get(columns[e]) ?? NONE)
          own[at + 8 * place] = placed(values[e], readingOf[place - 1], rounds);
    }
  }
}

const NONE: readonly number[] = [];

/** Lists the pairs of column and reading that occur in an ensemble. `of` returns the place of a node, from 1. */
function placesOf({ feature, rule }: Ensemble): { columnOf: number[]; readingOf: number[]; of(n: number): number } {
  const places = new Map<number, number>();
  const key = (n: number): number => feature[n] * 16 + (rule[n] & READING);
  for (let n = 0; n < feature.length; n++) if (feature[n] >= 0 && !places.has(key(n))) places.set(key(n), places.size + 1);
  const keys = [...places.keys()];
  return {
    columnOf: keys.map((k) => Math.floor(k / 16)),
    readingOf: keys.map((k) => k % 16),
    of: (n) => places.get(key(n))!,
  };
}

/** Returns a number as a node sees it: −∞ or NaN if it is missing and goes left or right. */
function placed(value: number, reading: number, rounds: boolean): number {
  const x = rounds ? Math.fround(value) : value;
  if (reading === 0) return x;
  if (Number.isNaN(x)) return reading & NAN_IS_ZERO ? placed(0, reading & ~NAN_IS_ZERO, false) : missing(reading);
  return reading & ZERO_MISSING && Math.abs(x) <= ZERO_SIZE ? missing(reading) : x;
}

const missing = (reading: number): number => (reading & MISSING_LEFT ? -Infinity : Number.NaN);

/** Returns the smallest number above a finite x. */
function nextAbove(x: number): number {
  if (x === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const number = new Float64Array(bits.buffer);
  number[0] = x;
  bits[0] += x > 0 ? 1n : -1n;
  return number[0];
}
