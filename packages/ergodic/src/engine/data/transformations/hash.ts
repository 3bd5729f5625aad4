import { checkNumber } from "../../errors/errors.ts";
import { type RowVector, type Shape, SparseRow, type Step, type Transformation } from "../rows.ts";
import { murmur3 } from "./murmur.ts";

export interface HashStep extends Step {
  readonly kind: "hash";
  readonly bits: number;
}

export function checkBits(bits: number): void {
  checkNumber("hash", "bits", bits, { low: 1, high: 30, integer: true });
}

/** Returns the shape of rows hashed to 2^bits columns. */
export function hashedShape(bits: number, type: Shape["type"]): Shape {
  let names: string[] | undefined;
  const columnCount = 2 ** bits;
  return {
    columnCount,
    format: "sparse",
    type,
    stored: true,
    names: () => (names ??= Array.from({ length: columnCount }, (_, j) => `hash:${j}`)),
    name: (j) => `hash:${j}`,
  };
}

/**
 * Step `hash`: the signed hashing trick. A column "name" (or "column=level") with the value x adds ±x to column h mod
 * 2^bits of the 2^bits sparse columns. h is the MurmurHash3_x86_32 of the name's UTF-8 bytes (seed 0). The sign is − if
 * the top bit of h is set. Random signs let collisions cancel in expectation. Sums that cancel to 0 are omitted.
 *
 * Source: Weinberger et al. 2009.
 *
 * @throws OptionError unless bits is an integer in 1..30
 */
export const hash: Transformation<HashStep> = {
  kind: "hash",

  output(step, input) {
    checkBits(step.bits);
    return hashedShape(step.bits, input.type);
  },

  start(step, input) {
    const { name = (j: number) => input.names()[j] } = input;
    // Hashes are computed only for columns that occur in rows, because there can be billions of columns.
    const hashes = new Map<number, number>();
    const hashOf = (j: number): number => {
      let known = hashes.get(j);
      if (known === undefined) hashes.set(j, (known = murmur3(name(j))));
      return known;
    };
    const collector = new HashCollector(step.bits);
    return (row) => {
      collector.clear();
      for (let k = 0; k < row.count; k++) collector.add(hashOf(row.columns ? row.columns[k] : k), row.values[k]);
      return collector.row();
    };
  },
};

/**
 * Sums the hashed values of one row. Buckets are in ascending order. The values of a bucket are summed in the order in
 * which they were added.
 */
export class HashCollector {
  private readonly mask: number;
  private readonly added = new SparseRow();
  private readonly out = new SparseRow();

  constructor(bits: number) {
    this.mask = 2 ** bits - 1;
  }

  clear(): void {
    this.added.count = 0;
  }

  add(hash: number, value: number): void {
    if (value !== 0) this.added.push(hash & this.mask, hash >>> 31 ? -value : value);
  }

  row(): RowVector {
    const { added, out } = this;
    // Packs bucket and position into one exact integer (30 + 23 bits). Sorting these integers keeps the order within
    // each bucket.
    const order = new Float64Array(added.count);
    for (let k = 0; k < order.length; k++) order[k] = added.columns[k] * 2 ** 23 + k;
    order.sort();
    out.count = 0;
    for (let start = 0; start < order.length; ) {
      const bucket = Math.floor(order[start] / 2 ** 23);
      let sum = 0;
      for (; start < order.length && Math.floor(order[start] / 2 ** 23) === bucket; start++)
        sum += added.values[order[start] % 2 ** 23];
      if (sum !== 0) out.push(bucket, sum);
    }
    return out;
  }
}
