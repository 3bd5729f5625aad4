/** Errors about model files of other libraries. */

import { DataError } from "../../../engine/errors/errors.ts";

/** The file that is read: its name in errors, and the library that wrote it ("XGBoost"). */
export interface Origin {
  readonly where: string;
  readonly library: string;
}

/** Returns an error about a damaged file. `problem` completes a message that begins "the XGBoost model …". */
export function damaged({ where, library }: Origin, problem: string): DataError {
  return new DataError(where, `the ${library} model ${problem}; the file is damaged, write it again`, "MODEL_FORMAT");
}

/** @throws DataError [MODEL_FORMAT] unless `holds` */
export function checkPart(origin: Origin, holds: unknown, problem: string): asserts holds {
  if (!holds) throw damaged(origin, problem);
}

/** Returns an error about a valid file that this library cannot represent. `what`: "the objective survival:aft". */
export function unsupported({ where, library }: Origin, what: string, advice: string): DataError {
  return new DataError(
    where,
    `the ${library} model has ${what}, which this library cannot predict with; ${advice}`,
    "MODEL_KIND",
  );
}

/** Formats a value from a file for a message. */
export function shownPart(value: unknown): string {
  if (value === undefined) return "nothing";
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return `a list of ${(value as ArrayLike<unknown>).length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return (typeof value === "string" ? JSON.stringify(value) : String(value)).slice(0, 60);
}
