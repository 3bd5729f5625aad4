/**
 * Digests that identify data. A digest is a 32-bit murmur3 hash of all numbers, targets and weights and, for ratings,
 * names. Hashing reads more than a gigabyte of memory per second. Each dataset is hashed once, when a run on it is
 * first checkpointed or resumed.
 */

import { engineMemory } from "../memory/memory.ts";
import { murmur3 } from "../random/murmur3.ts";
import type { Dataset } from "./dataset.ts";
import { elementBytes } from "./layout.ts";
import type { NameIndex } from "./name-index.ts";
import type { Ratings } from "./ratings.ts";

/** Cached digests. Digests can be cached without an expiry, because datasets and ratings are immutable. */
const known = new WeakMap<object, string>();

export function datasetDigest(data: Dataset): string {
  return once(data, () => {
    const { layout } = data;
    const { format, type, rowCount, scale, stride } = layout;
    const memory = engineMemory();
    const pieces = [
      textOf(
        `${format} ${type} ${rowCount} ${data.columnCount} ${scale} ${layout.weights !== 0}${layout.offset === 0 ? "" : " offset"}`,
      ),
    ];
    if (format === "dense") pieces.push(memory.u8(layout.values, rowCount * stride * elementBytes[type]));
    else {
      const count = memory.u32(layout.rowStart, rowCount + 1)[rowCount];
      pieces.push(memory.u8(layout.rowStart, (rowCount + 1) * 4), memory.u8(layout.columnIndex, count * 4));
      pieces.push(memory.u8(layout.values, count * elementBytes[type]));
    }
    pieces.push(memory.u8(layout.target, rowCount * 8));
    for (const labels of [layout.weights, layout.offset]) if (labels !== 0) pieces.push(memory.u8(labels, rowCount * 8));
    return digestOf(pieces);
  });
}

export function ratingsDigest(data: Ratings): string {
  return once(data, () => {
    const { users, items, values } = data.triples();
    const names = ({ names }: NameIndex): Uint8Array => textOf(JSON.stringify(names));
    return digestOf([names(data.users), names(data.items), bytesOf(users), bytesOf(items), bytesOf(values)]);
  });
}

function once(data: object, make: () => string): string {
  const made = known.get(data) ?? make();
  known.set(data, made);
  return made;
}

const textOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytesOf = (values: Uint32Array | Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function digestOf(pieces: readonly Uint8Array[]): string {
  let hash = 0;
  for (const piece of pieces) hash = murmur3(piece, 0, piece.length, hash);
  return hash.toString(16).padStart(8, "0");
}
