/** The series of draws that a plot shows, and notes on omitted series. */
import { type Draws, OptionError } from "ergodic";
import { isShown } from "./figure.ts";

export interface Chosen {
  readonly series: readonly (readonly [name: string, values: Float64Array])[];
  readonly notes: readonly string[];
}

/**
 * Returns series by name, in the order of `of`. If the name of a quantity is given, all its numbers are selected. At
 * most `most` series are returned, and a note states how many are omitted.
 *
 * @throws OptionError for an unknown name, and if there are no draws
 */
export function chosenSeries(where: string, draws: Draws, of: readonly string[] | undefined, most: number): Chosen {
  if (draws.count === 0)
    throw new OptionError(where, "there are no draws: the run was stopped during warm-up; let it continue", "DRAWS_EMPTY");
  const all = draws.scalars();
  const found = new Map<string, Float64Array>();
  for (const name of of ?? draws.quantities.map((quantity) => quantity.name)) {
    const quantity = draws.quantities.some((one) => one.name === name);
    const added = quantity ? draws.scalars([name]) : all.has(name) ? new Map([[name, all.get(name)!]]) : undefined;
    if (!added) {
      const names = draws.quantities.map((one) => one.name);
      const more = names.length > 20 ? ` and ${names.length - 20} more` : "";
      const there = `${names.slice(0, 20).join(", ")}${more}`;
      throw new OptionError(where, `there is no ${JSON.stringify(name)} among the draws; there are ${there}`, "OPTION_UNKNOWN");
    }
    for (const [key, values] of added) found.set(key, values);
  }
  if (found.size === 0) throw new OptionError(where, "the quantities in of have no numbers; name others", "OPTION_LENGTH");
  const series = [...found].slice(0, most);
  const left = found.size - series.length;
  return {
    series,
    notes: [
      ...(left > 0 ? [`${left} more ${left === 1 ? "number is" : "numbers are"} not shown; choose them with "of".`] : []),
      ...series.flatMap(([name, values]) => notFinite(name, values)),
    ],
  };
}

export function notFinite(name: string, values: Float64Array): string[] {
  const count = values.reduce((sum, value) => sum + Number(!isShown(value)), 0);
  return count === 0 ? [] : [`${count} of ${values.length} draws of ${name} are not finite, or beyond 1e300, and not shown.`];
}

/** Returns the draws of one chain. */
export const chainOf = (values: Float64Array, chain: number, count: number): Float64Array =>
  values.subarray(chain * count, (chain + 1) * count);
