/**
 * Stores long lists of a JSON description as tensors. With packing, the description of a model with a million columns
 * has only a few lines, and the names of columns are stored as bytes.
 *
 * A list with at least LONG items that are all strings, all numbers, all lists or all objects becomes { "packed": how,
 * … }; all other JSON is unchanged:
 *   numbers   f64[n] at `at`
 *   texts     concatenated UTF-8 at `at`; their lengths in UTF-16 units are a packed list of numbers, `lengths`
 *   choices   at most 256 distinct strings: u8[n] at `at`, indices into `of`
 *   lists     the concatenated items, `items`, and `lengths`
 *   objects   by key, in the order of keys: `values`, and `rows` if some objects lack the key
 *   object    its `entries`, if the object has a key "packed" itself
 * Non-negative integers are stored in the smallest type that fits. `unpack` returns equal JSON, with keys in the same
 * order.
 *
 * @throws DataError [`code`] for JSON that `pack` cannot have written
 */
import type { Json, JsonObject } from "../contract/index.ts";
import { DataError } from "../errors/errors.ts";
import type { Tensor, TensorValues } from "./safetensors.ts";

type Tensors = Record<string, Tensor>;

/** Smallest number of items in a packed list. */
const LONG = 4096;
/**
 * Largest total length of the strings in a packed list. JavaScript engines allow about 2 ** 29 characters in one
 * string.
 */
const MOST_CHARACTERS = 2 ** 28;
const MOST_CHOICES = 256;
/** Prefix of tensor names. */
export const PACKED = "description.";
const KEY = "packed";

export function pack(json: JsonObject): { description: JsonObject; tensors: Tensors } {
  const tensors: Tensors = {};
  const keep = (values: TensorValues): string => {
    const at = `${PACKED}${Object.keys(tensors).length}`;
    tensors[at] = { shape: [values.length], values };
    return at;
  };
  return { description: packed(json, keep) as JsonObject, tensors };
}

type Keep = (values: TensorValues) => string;

function packed(json: Json, keep: Keep): Json {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return (json.length >= LONG && packedList(json, keep)) || json.map((item) => packed(item, keep));
  const entries = Object.entries(json).map(([key, value]): [string, Json] => [key, packed(value, keep)]);
  return Object.hasOwn(json, KEY) ? { [KEY]: "object", entries } : Object.fromEntries(entries);
}

/** Packs a list. Returns undefined if the list mixes several kinds of items. */
function packedList(list: readonly Json[], keep: Keep): JsonObject | undefined {
  const isObject = (item: Json): boolean => typeof item === "object" && item !== null && !Array.isArray(item);
  if (list.every((item) => typeof item === "number")) return { [KEY]: "numbers", at: keep(smallest(list as number[])) };
  if (list.every((item) => typeof item === "string")) return packedTexts(list as string[], keep);
  if (list.every((item) => Array.isArray(item))) return packedLists(list as Json[][], keep);
  if (list.every(isObject)) return packedObjects(list as JsonObject[], keep);
  return undefined;
}

/** Packs a list inside a packed list, regardless of its length. */
const inner = (list: Json[], keep: Keep): Json => packedList(list, keep) ?? list.map((item) => packed(item, keep));

function packedTexts(texts: readonly string[], keep: Keep): JsonObject | undefined {
  const choices = choicesOf(texts);
  if (choices) {
    const place = new Map(choices.map((text, k) => [text, k]));
    return { [KEY]: "choices", of: choices, at: keep(Uint8Array.from(texts, (text) => place.get(text)!)) };
  }
  if (texts.reduce((sum, { length }) => sum + length, 0) > MOST_CHARACTERS) return undefined;
  const whole = texts.join("");
  // UTF-8 cannot represent unpaired surrogates.
  if (/\p{Surrogate}/u.test(whole)) return undefined;
  const lengths = smallest(texts.map(({ length }) => length));
  return { [KEY]: "texts", at: keep(new TextEncoder().encode(whole)), lengths: { [KEY]: "numbers", at: keep(lengths) } };
}

function choicesOf(texts: readonly string[]): string[] | undefined {
  const met = new Set<string>();
  for (const text of texts) if (met.add(text).size > MOST_CHOICES) return undefined;
  return [...met];
}

function packedLists(lists: readonly Json[][], keep: Keep): JsonObject {
  return {
    [KEY]: "lists",
    items: inner(lists.flat(), keep),
    lengths: inner(
      lists.map(({ length }) => length),
      keep,
    ),
  };
}

function packedObjects(objects: readonly JsonObject[], keep: Keep): JsonObject | undefined {
  const keys = keysOf(objects);
  if (!keys) return undefined;
  const columns = [...keys].map((key): Json => {
    const rows: number[] = [];
    for (const [i, object] of objects.entries()) if (Object.hasOwn(object, key)) rows.push(i);
    const values = inner(
      rows.map((i) => objects[i][key]),
      keep,
    );
    return { key, values, ...(rows.length < objects.length ? { rows: inner(rows, keep) } : {}) };
  });
  return { [KEY]: "objects", count: objects.length, columns };
}

/**
 * Returns all keys in their common order. Returns undefined if the keys have no common order, or if no key occurs in
 * all objects.
 */
function keysOf(objects: readonly JsonObject[]): Set<string> | undefined {
  const longest = objects.reduce((most, object) => (Object.keys(object).length > Object.keys(most).length ? object : most));
  const place = new Map(Object.keys(longest).map((key, k) => [key, k]));
  const shared = [...place.keys()].some((key) => objects.every((object) => Object.hasOwn(object, key)));
  if (!shared || place.has("__proto__")) return undefined;
  for (const object of objects) {
    let last = -1;
    for (const key of Object.keys(object)) {
      const at = place.get(key) ?? -1;
      if (at <= last) return undefined;
      last = at;
    }
  }
  return new Set(place.keys());
}

function smallest(values: readonly number[]): TensorValues {
  let most = 0;
  for (const value of values) {
    if (!(Number.isInteger(value) && value >= 0 && !Object.is(value, -0))) return Float64Array.from(values);
    if (value > most) most = value;
  }
  if (most < 2 ** 8) return Uint8Array.from(values);
  if (most < 2 ** 16) return Uint16Array.from(values);
  return most < 2 ** 32 ? Uint32Array.from(values) : Float64Array.from(values);
}

/**
 * Whether `unpack` could change the JSON in this text. If not, `unpack` is skipped, because it would take longer than
 * parsing the JSON.
 */
export const mayBePacked = (text: string): boolean => text.includes(KEY) || text.includes("\\u");

/** Reverses `pack`. `tensors`: all tensors of the file. */
export function unpack(json: Json, tensors: Readonly<Tensors>, where: string, code: string): Json {
  const refuse = (what: string): never => {
    throw new DataError(where, `has ${what}; the file is damaged, write it again`, code);
  };
  const from: Packed = {
    refuse,
    values(at) {
      const found =
        typeof at === "string" && at.startsWith(PACKED) && Object.hasOwn(tensors, at) ? tensors[at].values : undefined;
      if (!found || found instanceof BigInt64Array || found instanceof BigUint64Array)
        return refuse(`a list in ${JSON.stringify(at)?.slice(0, 60)}, which holds no numbers`);
      return found;
    },
  };
  return unpacked(json, from);
}

interface Packed {
  refuse(what: string): never;
  values(at: Json | undefined): Exclude<TensorValues, BigInt64Array | BigUint64Array>;
}

function unpacked(json: Json, from: Packed): Json {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((item) => unpacked(item, from));
  if (!Object.hasOwn(json, KEY))
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, unpacked(value, from)]));
  switch (json[KEY]) {
    case "numbers":
      return Array.from(from.values(json.at));
    case "choices":
      return chosen(json, from);
    case "texts":
      return texts(json, from);
    case "lists":
      return lists(json, from);
    case "objects":
      return objects(json, from);
    case "object":
      return Object.fromEntries(listOf(json.entries, from).map((entry) => entryOf(entry, from)));
    default:
      return from.refuse(`a list with the unknown packing ${JSON.stringify(json[KEY])?.slice(0, 60)}`);
  }
}

function chosen({ of, at }: JsonObject, from: Packed): string[] {
  const list =
    Array.isArray(of) && of.every((text) => typeof text === "string") ? of : from.refuse("choices that are not strings");
  return Array.from(from.values(at), (k) => list[k] ?? from.refuse(`the choice ${k}, but only ${list.length} choices`));
}

function texts({ at, lengths }: JsonObject, from: Packed): string[] {
  const bytes = from.values(at);
  const whole = bytes instanceof Uint8Array ? decodedText(bytes) : undefined;
  if (whole === undefined) return from.refuse("text that is not UTF-8");
  return parts(lengths, whole.length, from).map(([begin, end]) => whole.slice(begin, end));
}

function decodedText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function lists({ items, lengths }: JsonObject, from: Packed): Json[][] {
  const all = listOf(items, from);
  return parts(lengths, all.length, from).map(([begin, end]) => all.slice(begin, end));
}

function objects({ count, columns }: JsonObject, from: Packed): JsonObject[] {
  if (!(Array.isArray(columns) && columns.length > 0)) return from.refuse("objects without keys");
  const read = columns.map((column) => {
    const { key, values, rows } = (column ?? {}) as JsonObject;
    if (typeof key !== "string" || key === "__proto__") return from.refuse("a key that is not a string");
    return { key, values: listOf(values, from), rows: rows === undefined ? undefined : listOf(rows, from) };
  });
  // `count` comes from the file and can be wrong. The count must match the length of at least one column, so a wrong
  // count cannot exhaust memory.
  if (!read.some(({ values, rows }) => rows === undefined && values.length === count)) from.refuse(`${String(count)} objects`);
  const made = Array.from({ length: count as number }, (): JsonObject => ({}));
  for (const { key, values, rows } of read) {
    if ((rows ?? made).length !== values.length) from.refuse(`${values.length} values of "${key.slice(0, 60)}"`);
    for (const [k, value] of values.entries()) {
      const at = rows ? rows[k] : k;
      // Indexing by "__proto__" would reach the prototype of all lists.
      const object = typeof at === "number" ? made[at] : undefined;
      if (!object || Object.hasOwn(object, key)) return from.refuse(`an index for "${key.slice(0, 60)}" outside of its list`);
      object[key] = value;
    }
  }
  return made;
}

function entryOf(entry: Json, from: Packed): [string, Json] {
  if (!(Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string")) return from.refuse("an entry without a key");
  return [entry[0], entry[1]];
}

function listOf(json: Json | undefined, from: Packed): Json[] {
  const list = json === undefined ? undefined : unpacked(json, from);
  return Array.isArray(list) ? list : from.refuse("a value that is not a list");
}

/** Returns the start and end of each part, given the lengths of consecutive parts. The lengths must sum to `whole`. */
function parts(lengths: Json | undefined, whole: number, from: Packed): [number, number][] {
  let end = 0;
  const found = listOf(lengths, from).map((length): [number, number] => {
    const begin = end;
    if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) return from.refuse("an invalid length");
    end += length;
    return [begin, end];
  });
  return end === whole ? found : from.refuse(`parts of total length ${end} instead of ${whole}`);
}
