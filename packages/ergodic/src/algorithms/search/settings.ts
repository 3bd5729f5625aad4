/**
 * Settings by name, as the space of a search: each has a range, on a log scale or not, of integers or not; one with low = high stays as it is.
 *
 * @throws OptionError for a range that is none
 */
import { checkKeys, checkNumber, OptionError } from "../../base/errors.ts";
import type { Scale, SpaceOptions } from "./space.ts";

/** What is searched of one setting. */
export interface SettingRange {
  low: number;
  high: number;
  scale?: Scale;
  integer?: boolean;
}

/** `count`: settings that are searched. */
export function spaceOf(
  where: string,
  over: Readonly<Record<string, SettingRange>>,
): { names: string[]; space: SpaceOptions; count: number } {
  checkObject(where, "over", over, '{ rate: { low: 1e-4, high: 1, scale: "log" } }');
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
  if (scale !== "linear" && scale !== "log")
    throw new OptionError(where, `scale is ${String(scale)}, but must be "linear" or "log"`, "OPTION_TYPE");
  if (typeof integer !== "boolean")
    throw new OptionError(where, `integer is ${String(integer)}, but must be a boolean`, "OPTION_TYPE");
  checkNumber(where, "low", low, scale === "log" ? { low: integer ? 1 : 0, open: !integer } : { integer });
  checkNumber(where, "high", high, { low, integer });
}

function checkObject(where: string, name: string, value: unknown, example: string): void {
  if (typeof value === "object" && value !== null) return;
  throw new OptionError(where, `${name} is ${String(value)}, but must be an object: write ${example}`, "OPTION_TYPE");
}
