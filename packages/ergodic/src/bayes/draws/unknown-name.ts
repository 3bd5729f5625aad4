import { OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";

/** Largest number of names that the error lists. The effects of single groups come last in a formula's draws. */
const MOST = 8;

/** Error for a name that is not among those of the draws, with the most similar name. */
export function unknownName(where: string, name: unknown, known: readonly string[]): OptionError {
  const near = typeof name === "string" ? nearest(name, known) : undefined;
  const more = known.length > MOST ? `, … (${known.length} in all, in draws.quantities)` : "";
  const list = `${known.slice(0, MOST).join(", ")}${more}`;
  return new OptionError(
    where,
    `there is no ${shown(name)}; ${near === undefined ? "" : `did you mean "${near}"? `}there are ${list}`,
    "OPTION_UNKNOWN",
  );
}
