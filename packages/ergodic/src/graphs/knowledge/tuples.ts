import type { Ints } from "./ints.ts";

const hashStep = (hash: number, code: number): number => {
  const mixed = Math.imul(hash ^ code, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
};

/** The smallest power of two of places of which at most half are taken by `count`. */
const placesFor = (count: number): number => 2 ** (32 - Math.clz32(Math.max(8, 2 * count - 1)));

/** Rows with different tuples of codes: open addressing over the columns themselves, so that a tuple takes 8 to 16 bytes. */
export class DistinctTuples {
  readonly #columns: readonly Ints[];
  /** Row + 1; 0: free. */
  #places = new Int32Array(16);
  #count = 0;

  constructor(columns: readonly Ints[]) {
    this.#columns = columns;
  }

  /** The row that has this tuple, −1: none. */
  find(tuple: ArrayLike<number>): number {
    return this.#places[this.#place(tuple)] - 1;
  }

  /** Keeps a row whose tuple `find` does not know. */
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

  /** Where the tuple is, or a free place for it. */
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
 * Rows by the codes that they have in some columns: groups of equal rows, each ascending. Rows with a missing code (−1) are in none.
 *
 * Group g has the rows `rows[starts[g]]` to `rows[starts[g + 1] − 1]`.
 */
export class HashIndex {
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  readonly groupCount: number;
  /** Each row is a group of its own, and has its number. */
  readonly unique: boolean;
  readonly #columns: readonly Int32Array[];
  /** Group + 1; 0: free. By hash, or of one column with codes that are not much larger than their count, by code. */
  readonly #places: Int32Array;
  readonly #direct: boolean;
  /** By group, a row of it. */
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

  /** The group of rows that have this key; −1: none. */
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

/** Numbers rows by their code; −1: it is missing. */
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

/** The same of tuples. */
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
