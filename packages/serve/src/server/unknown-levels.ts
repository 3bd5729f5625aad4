import type { UnknownLevels } from "ergodic/extend";
import type { ModelVersion } from "../repository/model-version.ts";
import { kindOf } from "../v2/json.ts";
import type { Server } from "./context.ts";
import { RequestError } from "./request-error.ts";

/** Largest number of known levels that are listed in an error. */
const MOST_LISTED = 8;

/**
 * Counts the levels of a request that its model does not know. For each column, the first such level is logged, and
 * then the 10th, the 100th and so on.
 *
 * @returns the number of cells with such a level @throws RequestError [LEVEL] if the server's options refuse unknown
 * levels
 */
export function heedUnknown(found: ModelVersion, work: unknown, { settings, log }: Server): number {
  const all = found.served.unknownLevels?.(work) ?? [];
  if (all.length > 0 && settings.unknown === "refuse") throw refusal(all[0]);
  let cells = 0;
  for (const { column, rows, levels } of all) {
    const before = found.unknownLevels.get(column) ?? 0;
    const count = before + rows;
    found.unknownLevels.set(column, count);
    cells += rows;
    if (before > 0 && String(count).length === String(before).length) continue;
    const { name, version } = found;
    log.warn(
      { model: name, version, column, unknown: shortened(levels[0]), count },
      "requests have levels that the model does not know",
    );
  }
  return cells;
}

function refusal({ column, first, levels: [level], known }: UnknownLevels): RequestError {
  const shown = known.slice(0, MOST_LISTED).map(kindOf).join(", ");
  const more = known.length > MOST_LISTED ? ` and ${known.length - MOST_LISTED} more` : "";
  const advice = known.length > 0 ? `; send one of ${shown}${more}` : "; send one that the model was trained with";
  return new RequestError(
    "rows",
    `row ${first + 1}: ${kindOf(level)} in column "${column}" is not known to the model${advice}`,
    "LEVEL",
  );
}

const shortened = (level: string): string => (level.length > 40 ? `${level.slice(0, 40)}…` : level);
