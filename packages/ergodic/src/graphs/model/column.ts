import { MemoryLimitError } from "../../engine/errors/errors.ts";
import { bytesText } from "../../engine/memory/room.ts";

/** Memory budget, in bytes, that all columns of a graph share. */
export class Budget {
  used = 0;
  readonly limit: number;
  private readonly edges: () => number;

  /** `edges` returns the graph's current number of edges. */
  constructor(limit: number, edges: () => number = () => 0) {
    this.limit = limit;
    this.edges = edges;
  }

  /** Number of bytes still available. */
  get left(): number {
    return this.limit - this.used;
  }

  /** @throws MemoryLimitError if fewer than `bytes` bytes are left */
  take(bytes: number): void {
    if (bytes > this.left) {
      const edges = this.edges();
      throw new MemoryLimitError(
        "factorGraph",
        `the graph would take more than ${bytesText(this.limit)}, the most that one memory has: ${edges.toLocaleString("en")} edges like these fit, of ${(this.used / Math.max(1, edges)).toFixed(1)} bytes each; split the graph into parts that are not connected, or merge factors of one variable`,
        "MEMORY_LIMIT",
      );
    }
    this.used += bytes;
  }
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/**
 * Share by which a full column grows beyond the needed length. The share is small, so that a graph has little spare
 * memory.
 */
const GROWTH = 1 / 16;
const LEAST = 16;

/**
 * A growable array of numbers. Whole numbers take 1, 2 or 4 bytes each, depending on the largest number so far. As long
 * as every number equals the usual one, no array is allocated.
 */
export class Column {
  length = 0;
  private numbers: Numbers | undefined;
  private planned = 0;
  private readonly kind: "whole" | "real";
  private readonly usual: number | undefined;
  private readonly budget: Budget;

  constructor(kind: "whole" | "real", budget: Budget, usual?: number) {
    this.kind = kind;
    this.budget = budget;
    this.usual = usual;
  }

  /** Number of allocated bytes, including spare capacity. */
  get byteLength(): number {
    return this.numbers?.byteLength ?? 0;
  }

  at(index: number): number {
    return this.numbers === undefined ? this.usual! : this.numbers[index];
  }

  push(value: number): void {
    this.set(this.length, value);
  }

  /** Sets a number. The index may lie beyond the end if the column has a usual number, which then fills the gap. */
  set(index: number, value: number): void {
    if (this.numbers !== undefined || value !== this.usual) this.room(index, value)[index] = value;
    if (index >= this.length) this.length = index + 1;
  }

  /** Returns a copy of the range [from, to). */
  slice(from: number, to: number): Float64Array {
    if (this.numbers === undefined) return new Float64Array(to - from).fill(this.usual ?? 0);
    return Float64Array.from(this.numbers.subarray(from, to));
  }

  /** Announces the final length, so that the array grows to it in one step. */
  plan(length: number): void {
    this.planned = length;
  }

  clone(): Column {
    const copy = new Column(this.kind, new Budget(Infinity), this.usual);
    copy.length = this.length;
    copy.numbers = this.numbers?.slice();
    return copy;
  }

  /** Returns an array that contains `index` and whose element type can represent `value`. */
  private room(index: number, value: number): Numbers {
    const { numbers } = this;
    const Fitting = this.fitting(value);
    if (numbers !== undefined && index < numbers.length && numbers.BYTES_PER_ELEMENT >= Fitting.BYTES_PER_ELEMENT) return numbers;
    const Wide = numbers !== undefined && numbers.BYTES_PER_ELEMENT > Fitting.BYTES_PER_ELEMENT ? typeOf(numbers) : Fitting;
    const needed = Math.max(index + 1, this.length);
    const before = this.byteLength;
    const wanted = Math.max(
      numbers?.length ?? 0,
      LEAST,
      needed <= this.planned ? this.planned : Math.ceil(needed * (1 + GROWTH)),
    );
    const most = Math.floor((this.budget.left + before) / Wide.BYTES_PER_ELEMENT);
    const count = Math.max(needed, Math.min(wanted, most));
    this.budget.take(count * Wide.BYTES_PER_ELEMENT - before);
    const grown = new Wide(count);
    if (this.usual !== undefined && this.usual !== 0) grown.fill(this.usual);
    if (numbers !== undefined) grown.set(numbers.subarray(0, this.length));
    this.numbers = grown;
    return grown;
  }

  private fitting(value: number) {
    if (this.kind === "real") return Float64Array;
    return value < 2 ** 8 ? Uint8Array : value < 2 ** 16 ? Uint16Array : Uint32Array;
  }
}

function typeOf(numbers: Numbers) {
  if (numbers instanceof Float64Array) return Float64Array;
  return numbers instanceof Uint32Array ? Uint32Array : numbers instanceof Uint16Array ? Uint16Array : Uint8Array;
}
