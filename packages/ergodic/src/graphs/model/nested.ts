import { isList } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";

/**
 * Flattens a table's values to one array, in which the last axis varies fastest. The values are a flat list or nested
 * lists. Each value is checked.
 *
 * @throws OptionError that names the position of the error
 */
export function flatValues(
  where: string,
  shape: readonly number[],
  axisName: (axis: number) => string,
  given: unknown,
  logs: boolean,
): Float64Array {
  const size = shape.reduce((product, count) => product * count, 1);
  const flat = shape.length === 0 && typeof given === "number" ? [given] : given;
  if (!isList(flat))
    throw new OptionError(
      where,
      `the values are ${shown(given)}, but must be a list, or lists of lists: write [0.3, 0.7]`,
      "OPTION_TYPE",
    );
  const isFlat = shape.length < 2 || flat.length === 0 || !isList(flat[0]);
  if (isFlat && flat.length !== size)
    throw new OptionError(
      where,
      `${flat.length} values were given, but ${size === 1 && shape.length === 0 ? "a factor without variables has 1" : `${shape.join(" × ")} states make ${size}`}`,
      "OPTION_RANGE",
    );
  const place = (path: readonly number[]): string => `values${path.map((i) => `[${i}]`).join("")}`;
  const check = (value: unknown, path: readonly number[]): number => {
    const fits = typeof value === "number" && (logs ? value < Infinity : value >= 0 && value < Infinity);
    if (fits) return value;
    const wanted = logs ? "a number, or −Infinity for a factor of 0" : "a number >= 0";
    throw new OptionError(where, `${place(path)} is ${shown(value)}, but must be ${wanted}`, "OPTION_RANGE");
  };
  if (isFlat) {
    const all = new Float64Array(size);
    for (let i = 0; i < size; i++) all[i] = check(flat[i], [i]);
    return all;
  }
  const values: number[] = [];
  const walk = (part: unknown, path: readonly number[]): void => {
    if (path.length === shape.length) {
      values.push(check(part, path));
      return;
    }
    const count = shape[path.length];
    if (!isList(part) || part.length !== count)
      throw new OptionError(
        where,
        `${place(path)} is ${isList(part) ? `a list of ${part.length}` : shown(part)}, but must be a list of ${count}, one for each state of "${axisName(path.length)}"`,
        "OPTION_RANGE",
      );
    for (let i = 0; i < count; i++) walk(part[i], [...path, i]);
  };
  walk(flat, []);
  return Float64Array.from(values);
}
