/**
 * Limits on the cost of a loaded model. The cost is computed from the file before anything runs, because a prediction
 * cannot be aborted.
 */
import { DataError } from "../engine/errors/errors.ts";
import { bytesText } from "../engine/memory/room.ts";

/**
 * Default limit on work per row, in multiply-adds: about ten seconds on one core. The largest networks for 224 × 224
 * images need 1.6e10 (VGG), and typical networks need a tenth of this number.
 */
export const MAX_WORK = 2e10;
/**
 * Default limit on memory in addition to the parameters in the file, in bytes. A network needs more than a few times 64
 * MiB only if a single row needs more.
 */
export const MAX_MEMORY = 2 ** 30;

/** Limits on a loaded model. Both can be Infinity. */
export interface Limits {
  /** Largest work per row, in multiply-adds. */
  readonly maxWork: number;
  /** Largest memory in bytes, in addition to the parameters in the file. */
  readonly maxMemory: number;
}

/** @throws DataError [MODEL_WORK] */
export function refuseWork(work: number, maxWork: number, where: string): void {
  // With this form of the comparison, NaN is refused too.
  if (work <= maxWork) return;
  const message =
    `needs ${work.toPrecision(2)} multiply-adds per row, but maxWork is ${maxWork}; ` +
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
