/**
 * Checks draws that come from files or callers: array lengths, tree depths, and the parts of a description that
 * verdicts read.
 */
import { isPlainObject } from "../../engine/errors/checks.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { DrawsContent } from "./content.ts";
import { sizeOf } from "./series.ts";
import { checkDepths } from "./trajectories.ts";

interface Kind {
  /** Name of the expected type in error messages, such as "a text". */
  readonly wanted: string;
  readonly fits: (value: unknown) => boolean;
}

const isNumber = (value: unknown): boolean => typeof value === "number";
const text: Kind = { wanted: "a text", fits: (value) => typeof value === "string" };
const flag: Kind = { wanted: "true or false", fits: (value) => typeof value === "boolean" };
const number: Kind = { wanted: "a number", fits: isNumber };
/** JSON has no NaN or Infinity, so null represents them. */
const numberOrNull: Kind = { wanted: "a number or null", fits: (value) => value === null || isNumber(value) };
const optional = ({ wanted, fits }: Kind): Kind => ({ wanted, fits: (value) => value === undefined || fits(value) });

type Fields = Readonly<Record<string, Kind>>;

const place: Fields = {
  by: optional(text),
  share: numberOrNull,
  settled: optional(flag),
  mode: optional(number),
  missed: flag,
  rare: optional(flag),
  changes: optional(text),
  sdFactor: optional(numberOrNull),
  at: {
    wanted: "an object of numbers by name",
    fits: (value) => isPlainObject(value) && Object.values(value).every(numberOrNull.fits),
  },
};
const hint: Fields = { text, advice: text };
const edges: Fields = {
  examined: number,
  found: number,
  names: { wanted: "a list of texts", fits: (value) => Array.isArray(value) && value.every(text.fits) },
  drop: numberOrNull,
  bound: optional(number),
  side: optional(text),
  reason: optional(text),
};
const solutions: Fields = { points: number, mostSteps: numberOrNull, largestError: numberOrNull };

/**
 * @throws DataError [DRAWS_DEPTH]; [DRAWS_DESCRIPTION] with the name of the part; OptionError for quantities with a
 *   wrong length
 */
export function checkClaims({ chains, count, quantities, values, fields, transitions, description }: DrawsContent): void {
  checkDepths(fields, transitions);
  checkList("places", description.places, place);
  checkList("hints", description.hints, hint);
  if (description.edges !== undefined) checkFields("edges", description.edges, edges);
  if (description.solutions !== undefined) checkFields("solutions", description.solutions, solutions);
  for (const { name, shape } of quantities) {
    const wanted = chains * count * sizeOf(shape);
    const given = values[name]?.length;
    if (given === wanted) continue;
    const message = `"${name}" has ${given ?? "no"} numbers, but ${chains} chains of ${count} draws need ${wanted}`;
    throw new OptionError("draws", `${message}; give them [chain, draw, ...shape]`, "OPTION_LENGTH");
  }
}

function checkList(name: string, list: unknown, fields: Fields): void {
  if (list === undefined) return;
  if (!Array.isArray(list)) throw wrong(name, list, "a list");
  for (const [i, one] of list.entries()) checkFields(`${name}[${i}]`, one, fields);
}

function checkFields(name: string, given: unknown, fields: Fields): void {
  if (!isPlainObject(given)) throw wrong(name, given, "an object");
  for (const [key, { wanted, fits }] of Object.entries(fields)) {
    const value = Object.hasOwn(given, key) ? (given as Record<string, unknown>)[key] : undefined;
    if (!fits(value)) throw wrong(`${name}.${key}`, value, wanted);
  }
}

const wrong = (name: string, value: unknown, wanted: string): DataError =>
  new DataError(
    "draws",
    `${name} of the description is ${shown(value)}, but must be ${wanted}; make the draws again, or remove ${name.replace(/[.[].*/, "")} from the description`,
    "DRAWS_DESCRIPTION",
  );
