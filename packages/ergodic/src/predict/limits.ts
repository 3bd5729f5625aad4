/** Limits on the cost of a model from a file. The cost is computed from the file before anything runs, because a prediction cannot be aborted. */
import { DataError } from "../engine/errors/errors.ts";
import { bytesText } from "../engine/memory/room.ts";

/**
 * Most work of a row, in multiply-adds: some ten seconds on one core. The largest networks for images of 224 × 224 are
 * 1.6e10 (VGG), usual ones a tenth of it.
 */
export const MAX_WORK = 2e10;
/** Most bytes of memory besides the numbers that the file holds. A network takes a few times 64 MiB at most, unless a single row is larger. */
export const MAX_MEMORY = 2 ** 30;

/** Both may be Infinity. */
export interface Limits {
  /** Most work of a row, in multiply-adds. */
  readonly maxWork: number;
  /** Most bytes besides the numbers that the file holds. */
  readonly maxMemory: number;
}

/** @throws DataError [MODEL_WORK] */
export function refuseWork(work: number, maxWork: number, where: string): void {
  // NaN is refused as well.
  if (work <= maxWork) return;
  const message =
    `is ${work.toPrecision(2)} multiply-adds of work a row, but maxWork is ${maxWork}; ` +
    "if you trust the file, load it with a larger maxWork";
  throw new DataError(where, message, "MODEL_WORK");
}

/** @throws DataError [MODEL_MEMORY] */
export function refuseMemory(bytes: number, maxMemory: number, where: string): void {
  if (bytes <= maxMemory) return;
  const message =
    `takes ${bytesText(bytes)} of memory besides its numbers, but maxMemory is ${bytesText(maxMemory)}; ` +
    "if you trust the file, load it with a larger maxMemory";
  throw new DataError(where, message, "MODEL_MEMORY");
}
