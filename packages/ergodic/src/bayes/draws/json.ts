/**
 * Converts draws to JSON and back without loss.
 *
 *   {
 *     "format": "ergodic-draws", "version": 1, "chains": 4, "count": 1000,
 *     "quantities": [{ "name": "theta", "shape": [8], "kind": "parameter" }], "fields": ["logDensity"],
 *     "values": { "theta": [chains · count · 8 numbers] },      // [chain, draw, ...shape], row-major
 *     "transitions": { "logDensity": [chains · count numbers] }, // [chain, draw], by field
 *     "description": { … }, "report": { … }
 *   }
 *
 * The strings "NaN", "Infinity", "-Infinity" and "-0" represent the numbers that JSON lacks.
 *
 * @throws DataError [DRAWS_JSON] for anything else
 */

import type { Json, JsonObject } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { DrawsContent, DrawsQuantity } from "./content.ts";

const FORMAT = "ergodic-draws";
const VERSION = 1;
const WHERE = "draws.json";
/** Number of values per block of text. */
export const BLOCK = 1 << 15;
const mostChains = 1e6;
/**
 * Maximum number of draws in a file that stores no values. A small file can declare any number of draws, so a limit is
 * needed.
 */
const mostEmpty = 1e7;

/** Description of draws without their values. */
export type DrawsHeader = Pick<DrawsContent, "chains" | "count" | "quantities" | "fields" | "description" | "report">;

export function drawsToJson(content: DrawsContent): JsonObject {
  const { chains, count, fields, transitions } = content;
  const field = (j: number): Json[] =>
    Array.from({ length: chains * count }, (_, k) => numberToJson(transitions[k * fields.length + j]));
  return {
    ...headerToJson(content),
    values: Object.fromEntries(content.quantities.map(({ name }) => [name, Array.from(content.values[name], numberToJson)])),
    transitions: Object.fromEntries(fields.map((name, j) => [name, field(j)])),
  };
}

/** Yields the text of `drawsToJson` in blocks, because the complete text might exceed the maximum string length. */
export function* jsonBlocks(content: DrawsContent): Generator<string> {
  const { chains, count, quantities, fields, values, transitions } = content;
  yield `${JSON.stringify(headerToJson(content)).slice(0, -1)},"values":{`;
  for (const [i, { name }] of quantities.entries()) {
    yield `${i > 0 ? "," : ""}${JSON.stringify(name)}:`;
    yield* listBlocks(values[name].length, (k) => values[name][k]);
  }
  yield `},"transitions":{`;
  for (const [j, name] of fields.entries()) {
    yield `${j > 0 ? "," : ""}${JSON.stringify(name)}:`;
    yield* listBlocks(chains * count, (k) => transitions[k * fields.length + j]);
  }
  yield "}}";
}

function* listBlocks(length: number, at: (k: number) => number): Generator<string> {
  yield "[";
  for (let from = 0; from < length; from += BLOCK) {
    const block = Array.from({ length: Math.min(BLOCK, length - from) }, (_, i) => numberToJson(at(from + i)));
    yield `${from > 0 ? "," : ""}${JSON.stringify(block).slice(1, -1)}`;
  }
  yield "]";
}

export function drawsFromJson(json: unknown): DrawsContent {
  const header = headerFromJson(json);
  const { values, transitions } = json as Record<string, unknown>;
  const { chains, count, quantities, fields } = header;
  if (!isObject(values) || !isObject(transitions)) throw wrong(`"values" or "transitions" is missing`);
  const own = Object.entries(transitions).map(([name, series]) => [name, numbersFromJson(name, series)] as const);
  const odd = own.find(([name, series]) => !fields.includes(name) || series.length !== chains * count);
  if (odd || own.length !== fields.length)
    throw wrong(`"transitions" must hold ${chains * count} numbers for each of ${fields.join(", ") || "no fields"}`);
  const rows = new Float64Array(chains * count * fields.length);
  for (const [name, series] of own) {
    const j = fields.indexOf(name);
    for (let k = 0; k < series.length; k++) rows[k * fields.length + j] = series[k];
  }
  const entries = quantities.map(({ name, shape }) => {
    const list = numbersFromJson(name, values[name]);
    const length = shape.reduce((product, size) => product * size, chains * count);
    if (list.length !== length)
      throw wrong(`"${name}" has ${list.length} numbers, but ${chains} chains of ${count} draws need ${length}`);
    return [name, list] as const;
  });
  return { ...header, values: Object.fromEntries(entries), transitions: rows };
}

export function headerToJson({ chains, count, quantities, fields, description, report }: DrawsHeader): JsonObject {
  return {
    format: FORMAT,
    version: VERSION,
    chains,
    count,
    quantities: quantities.map(({ name, shape, kind }) => ({ name, shape: [...shape], kind })),
    fields: [...fields],
    description,
    report: Object.fromEntries(Object.entries(report).map(([name, value]) => [name, numberToJson(value)])),
  };
}

/** Reads and checks the header. `where`: prefix of error messages. */
export function headerFromJson(json: unknown, where = WHERE): DrawsHeader {
  const wrong = (message: string): DataError => wrongIn(where, message);
  if (!isObject(json) || json.format !== FORMAT) throw wrong(`it does not hold draws: "format" must be "${FORMAT}"`);
  if (json.version !== VERSION) throw wrong(`its version is ${json.version}, but this release reads ${VERSION}`);
  const { chains, count, quantities, fields, description, report } = json;
  if (!isCount(chains) || !isCount(count)) throw wrong(`"chains" and "count" must be whole numbers`);
  if (!Array.isArray(quantities) || !quantities.every(isQuantity))
    throw wrong(`"quantities" must be a list of { name, shape, kind }, each name once`);
  if (new Set(quantities.map(({ name }) => name)).size !== quantities.length) throw wrong("a quantity is named twice");
  if (!Array.isArray(fields) || !fields.every((field) => typeof field === "string"))
    throw wrong(`"fields" must be a list of strings`);
  if (!isObject(description) || !isObject(report)) throw wrong(`"description" and "report" must be objects`);
  if (chains > mostChains) throw wrong(`it names ${chains} chains, which is over a million`);
  const kept = quantities.some(({ shape }) => !shape.includes(0)) || fields.length > 0;
  if (!kept && chains * count > mostEmpty) throw wrong(`it names ${chains} chains of ${count} draws, but holds no numbers`);
  const numbers = Object.entries(report).map(([name, value]) => [name, numberFromJson(`report.${name}`, value, where)]);
  return { chains, count, quantities, fields, description: description as JsonObject, report: Object.fromEntries(numbers) };
}

export function numberToJson(value: number): number | string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

const unusual: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity, "-0": -0 };

export function numberFromJson(name: string, value: unknown, where = WHERE): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && Object.hasOwn(unusual, value)) return unusual[value];
  throw wrongIn(where, `"${name}" holds ${JSON.stringify(value)}, which is not a number`);
}

function numbersFromJson(name: string, list: unknown): Float64Array {
  if (list instanceof Float64Array) return list;
  if (!Array.isArray(list)) throw wrong(`"${name}" must be a list of numbers`);
  return Float64Array.from(list, (value) => numberFromJson(name, value));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isQuantity = (value: unknown): value is DrawsQuantity =>
  isObject(value) &&
  typeof value.name === "string" &&
  Array.isArray(value.shape) &&
  value.shape.every(isCount) &&
  ["parameter", "transformed", "generated"].includes(value.kind as string);

const wrongIn = (where: string, message: string): DataError =>
  new DataError(where, `${message}; save the draws again`, "DRAWS_JSON");
const wrong = (message: string): DataError => wrongIn(WHERE, message);
