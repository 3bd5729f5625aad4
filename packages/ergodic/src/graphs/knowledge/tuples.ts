import type { Ints } from "./ints.ts";

const hashStep = (hash: number, code: number): number => {
  const mixed = Math.imul(hash ^ code, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
};

/** Returns the smallest power of two for which `count` entries fill at most half of the table. */
const placesFor = (count: number): number => 2 ** (32 - Math.clz32(Math.max(8, 2 * count - 1)));

/**
 * Rows with distinct tuples of codes. The table uses open addressing over the columns themselves, so that a tuple costs
 * only 8 to 16 bytes.
 */
export class DistinctTuples {
  readonly #columns: readonly Ints[];
  /** Row + 1, or 0 if free. */
  #places = new Int32Array(16);
  #count = 0;

  constructor(columns: readonly Ints[]) {
    this.#columns = columns;
  }

  /** Returns the row with this tuple, or −1 if there is none. */
  find(tuple: ArrayLike<number>): number {
    return this.#places[this.#place(tuple)] - 1;
  }

  /** Adds a row with a tuple that is not in the table yet. */
  add(row: number): void {
    if (2 * (this.#count + 1) > this.#places.length) {
      const before = this.#places;
      this.#places = new Int32Array(2 * before.length);
      for (const kept of before) if (kept !== 0) this.#put(kept - 1);
    }
    this.#put(row);
    this.#count++;
  }

  #put(row: number): void {
    this.#places[this.#place(this.#columns.map(({ data }) => data[row]))] = row + 1;
  }

  /** Returns the slot of the tuple, or a free slot for it. */
  #place(tuple: ArrayLike<number>): number {
    const mask = this.#places.length - 1;
    let hash = 0;
    for (let k = 0; k < tuple.length; k++) hash = hashStep(hash, tuple[k]);
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const row = this.#places[place] - 1;
      if (row < 0 || this.#columns.every(({ data }, k) => data[row] === tuple[k])) return place;
    }
  }
}

/**
 * Hash index of rows by their codes in some columns. Rows with equal codes form a group, in ascending order. Rows with
 * a missing code (−1) are in no group.
 *
 * Group g has the rows `rows[starts[g]]` to `rows[starts[g + 1] − 1]`.
 */
export class HashIndex {
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  readonly groupCount: number;
  /** Whether each row is a separate group. Group indices then equal row indices. */
  readonly unique: boolean;
  readonly #columns: readonly Int32Array[];
  /**
   * Group + 1, or 0 if free. The slots are addressed by hash, or directly by code if there is a single column with
   * sufficiently small codes.
   */
  readonly #places: Int32Array;
  readonly #direct: boolean;
  /** A representative row of each group. */
  readonly #samples: Int32Array;

  constructor(columns: readonly Int32Array[], rowCount: number) {
    this.#columns = columns;
    const [codes] = columns;
    let largest = -1;
    if (columns.length === 1) for (let row = 0; row < rowCount; row++) if (codes[row] > largest) largest = codes[row];
    this.#direct = columns.length === 1 && largest < 8 * rowCount + 1024;
    const groups = new Int32Array(rowCount);
    const { places, samples } = this.#direct ? byCode(codes, groups, largest) : byHash(columns, groups);
    this.#places = places;
    this.#samples = samples;
    const count = samples.length;
    this.groupCount = count;
    this.unique = count === rowCount;
    const starts = new Int32Array(count + 1);
    for (const group of groups) if (group >= 0) starts[group + 1]++;
    for (let group = 0; group < count; group++) starts[group + 1] += starts[group];
    this.starts = starts;
    this.rows = new Int32Array(starts[count]);
    const next = starts.slice(0, count);
    for (let row = 0; row < rowCount; row++) if (groups[row] >= 0) this.rows[next[groups[row]]++] = row;
  }

  /** Returns the group with this key, or −1 if there is none. */
  find(key: Int32Array): number {
    const columns = this.#columns;
    const places = this.#places;
    if (this.#direct) return key[0] >= 0 && key[0] < places.length ? places[key[0]] - 1 : -1;
    const mask = places.length - 1;
    let hash = 0;
    for (let k = 0; k < key.length; k++) hash = hashStep(hash, key[k]);
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const group = places[place] - 1;
      if (group < 0) return -1;
      const sample = this.#samples[group];
      let same = true;
      for (let k = 0; k < key.length && same; k++) same = columns[k][sample] === key[k];
      if (same) return group;
    }
  }
}

interface Groups {
  places: Int32Array;
  samples: Int32Array;
}

/** Groups rows by the code of one column. Rows with a missing code get group −1. */
function byCode(codes: Int32Array, groups: Int32Array, largest: number): Groups {
  const places = new Int32Array(largest + 1);
  const samples = new Int32Array(groups.length);
  let count = 0;
  for (let row = 0; row < groups.length; row++) {
    const code = codes[row];
    if (code >= 0 && places[code] === 0) {
      samples[count] = row;
      places[code] = ++count;
    }
    groups[row] = code < 0 ? -1 : places[code] - 1;
  }
  return { places, samples: samples.slice(0, count) };
}

/** Groups rows by tuples of codes. */
function byHash(columns: readonly Int32Array[], groups: Int32Array): Groups {
  const places = new Int32Array(placesFor(groups.length));
  const samples = new Int32Array(groups.length);
  const mask = places.length - 1;
  let count = 0;
  for (let row = 0; row < groups.length; row++) {
    let hash = 0;
    let missing = false;
    for (let k = 0; k < columns.length; k++) {
      hash = hashStep(hash, columns[k][row]);
      missing ||= columns[k][row] < 0;
    }
    if (missing) {
      groups[row] = -1;
      continue;
    }
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const group = places[place] - 1;
      if (group < 0) {
        samples[count] = row;
        groups[row] = count;
        places[place] = ++count;
        break;
      }
      const sample = samples[group];
      let same = true;
      for (let k = 0; k < columns.length && same; k++) same = columns[k][sample] === columns[k][row];
      if (!same) continue;
      groups[row] = group;
      break;
    }
  }
  return { places, samples: samples.slice(0, count) };
}
