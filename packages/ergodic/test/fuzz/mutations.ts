/**
 * Random damage to this library's files: to bytes, to the values of their JSON, and to their tensors. Every case has
 * its own seed, so that it can be repeated.
 */
import { decode, encode, type Tensor } from "../../src/engine/files/safetensors.ts";

export interface Random {
  /** In [0, n). */
  below(n: number): number;
  pick<T>(list: readonly T[]): T;
}

/** Mulberry32. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { below, pick: (list) => list[below(list.length)] };
}

/** Small enough that products of finite values stay finite. */
const junk: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  -0.5,
  1.5,
  7,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e100,
  -1e100,
  1e-100,
  "",
  "abc",
  "constructor",
  "__proto__",
  "toString",
  "1",
  [],
  [null],
  [[]],
  ["length"],
  {},
  { length: 3 },
  JSON.parse('{"__proto__":{"kind":"x"},"constructor":1}'),
];

function nested(depth: number): unknown {
  let json: unknown = {};
  for (let k = 0; k < depth; k++) json = k % 2 === 0 ? [json] : { inner: json };
  return json;
}

/** Locations of values: the object or list that contains one, and its key. */
function places(json: unknown, skipped: ReadonlySet<string>): { holder: Record<string, unknown>; key: string }[] {
  const found: { holder: Record<string, unknown>; key: string }[] = [];
  const open: unknown[] = [json];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (typeof one !== "object" || one === null) continue;
    for (const [key, value] of Object.entries(one)) {
      if (skipped.has(key)) continue;
      found.push({ holder: one as Record<string, unknown>, key });
      if (typeof value === "object" && value !== null) open.push(value);
    }
  }
  return found;
}

/**
 * Replaces, removes, adds or moves one to three values. `skipped` lists keys that are left unchanged, with everything
 * below them.
 */
export function mutateJson(json: unknown, { below, pick }: Random, skipped: ReadonlySet<string> = new Set()): void {
  for (let times = 1 + below(3); times > 0; times--) {
    const all = places(json, skipped);
    if (all.length === 0) return;
    const { holder, key } = pick(all);
    const how = below(8);
    if (how === 0) {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
    } else if (how === 1) {
      const other = pick(all);
      holder[key] = structuredClone(other.holder[other.key]);
    } else if (how === 2) {
      holder[key] = nested(pick([3, 60, 2000]));
      // Such a deep value cannot be copied.
      return;
    } else if (how === 3 && Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
    else if (how === 4 && typeof holder[key] === "number")
      holder[key] = pick([-1, 1, 2, 0.5]) * (holder[key] as number) + below(2);
    else holder[key] = structuredClone(pick(junk));
  }
}

/** Flips bits, and removes or inserts bytes. */
export function mutateBytes(bytes: Uint8Array, { below, pick }: Random): Uint8Array {
  const changed = bytes.slice();
  const how = below(4);
  if (how === 0) return changed.subarray(0, below(bytes.length));
  if (how === 1)
    return Uint8Array.from([...changed.subarray(0, 8 + below(200)), below(256), ...changed.subarray(8 + below(200))]);
  // Most faults are possible in the header.
  const end = pick([16, Math.min(bytes.length, 4000), bytes.length]);
  for (let times = 1 + below(4); times > 0; times--) changed[below(end)] ^= 1 << below(8);
  return changed;
}

/** Removes, cuts or exchanges tensors, or changes their type or numbers. */
export function mutateTensors(tensors: Record<string, Tensor>, { below, pick }: Random): void {
  const names = Object.keys(tensors);
  if (names.length === 0) return;
  const name = pick(names);
  const { values, shape } = tensors[name];
  const how = below(6);
  if (how === 0) delete tensors[name];
  else if (how === 1) {
    const cut = values.slice(0, below(values.length + 1));
    tensors[name] = { shape: [cut.length], values: cut };
  } else if (how === 2) {
    const kind = pick([Float64Array, Float32Array, Int8Array, Uint32Array, BigInt64Array]);
    tensors[name] = { shape, values: new kind(values.length) };
  } else if (how === 3) {
    const other = pick(names);
    [tensors[name], tensors[other]] = [tensors[other], tensors[name]];
  } else if (how === 4)
    tensors[name] = { shape: pick([[values.length], [1, values.length], [values.length, 1], [1, 1, values.length]]), values };
  else if (values instanceof Float64Array || values instanceof Float32Array) {
    const changed = values.slice();
    for (let times = 1 + below(3); times > 0; times--)
      changed[below(changed.length)] = pick([NaN, Infinity, -Infinity, -1, 1e100, 2 ** 31, 0.5]);
    tensors[name] = { shape, values: changed };
  }
}

export interface Mutation {
  readonly bytes: Uint8Array;
  /** Name of the mutation. */
  readonly how: string;
}

/**
 * `skipped` lists keys of the description that are left unchanged. `numbers` also changes tensors of files without a
 * checksum.
 */
export function mutated(
  bytes: Uint8Array,
  draws: Random,
  { skipped = [], numbers = true }: { skipped?: readonly string[]; numbers?: boolean },
): Mutation {
  const how = draws.pick(["bytes", "json", "json", "json", "metadata", ...(numbers ? ["tensors"] : [])]);
  if (how === "bytes") return { how, bytes: mutateBytes(bytes, draws) };
  const { tensors, metadata } = decode(bytes);
  if (how === "json") {
    const description = JSON.parse(metadata.description);
    mutateJson(description, draws, new Set(skipped));
    const { "text checksum": _, ...others } = metadata;
    return { how, bytes: encode(tensors, { ...others, description: JSON.stringify(description) }) };
  }
  if (how === "tensors") {
    mutateTensors(tensors, draws);
    const { checksum: _, ...others } = metadata;
    return { how, bytes: encode(tensors, others) };
  }
  const changed: Record<string, string> = { ...metadata };
  const key = draws.pick(Object.keys(changed));
  if (draws.below(3) === 0) delete changed[key];
  else
    changed[key] = draws.pick([
      "",
      "abc",
      "-1",
      "1",
      "3",
      "99",
      "1e9",
      "NaN",
      "constructor",
      "__proto__",
      "null",
      "[]",
      "[[]]",
      "7",
      '"x"',
    ]);
  return { how, bytes: encode(tensors, changed) };
}
