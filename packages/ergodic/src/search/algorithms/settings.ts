/**
 * Search space of named settings. Each setting has a range and a linear or logarithmic scale, and it can be restricted
 * to integers. A setting with low = high is fixed.
 *
 * @throws OptionError for an invalid range
 */
import { checkBoolean, checkChoice, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { Scale, SpaceOptions } from "./space.ts";

/** Range in which one setting is searched. */
export interface SettingRange {
  /** Smallest value. */
  low: number;
  /** Largest value. */
  high: number;
  /** Scale: "linear", or "log", which suits strengths and rates. Default "linear". */
  scale?: Scale;
  /** Whether values are whole numbers. Default false. */
  integer?: boolean;
}

/** Returns the search space for these settings. `count`: number of settings that are not fixed. */
export function spaceOf(
  where: string,
  over: Readonly<Record<string, SettingRange>>,
): { names: string[]; space: SpaceOptions; count: number } {
  const example = '{ rate: { low: 1e-4, high: 1, scale: "log" } }';
  checkObject(where, "over", over, example);
  if (Object.keys(over).length === 0) refuse(where, "over", over, "an object of one setting or more", example);
  for (const [name, range] of Object.entries(over)) checkRange(`${where}.over.${name}`, range);
  const ranges = Object.values(over);
  return {
    names: Object.keys(over),
    space: {
      bounds: ranges.map(({ low, high }) => [low, high] as const),
      scale: ranges.map(({ scale = "linear" }) => scale),
      integer: ranges.map(({ integer = false }) => integer),
    },
    count: ranges.filter(({ low, high }) => low < high).length,
  };
}

function checkRange(where: string, range: SettingRange): void {
  checkObject(where, "the range", range, "{ low: 0, high: 1 }");
  checkKeys(where, range, ["low", "high", "scale", "integer"]);
  const { low, high, scale = "linear", integer = false } = range;
  checkChoice(where, "scale", scale, ["linear", "log"]);
  checkBoolean(where, "integer", integer);
  checkNumber(where, "low", low, scale === "log" ? { low: integer ? 1 : 0, open: !integer } : { integer });
  checkNumber(where, "high", high, { low, integer });
}

function checkObject(where: string, name: string, value: unknown, example: string): void {
  if (Object.prototype.toString.call(value) === "[object Object]") return;
  throw new OptionError(where, `${name} is ${shown(value)}, but must be an object: write ${example}`, "OPTION_TYPE");
}
