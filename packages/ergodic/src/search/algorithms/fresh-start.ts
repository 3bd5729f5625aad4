import type { Draws } from "../../engine/random/stream.ts";
import type { SearchStart } from "./search.ts";

const OPEN_SPREAD = 3;

export function randomPoint({ lower, upper, start }: SearchStart, draws: Draws, spread: number = OPEN_SPREAD): Float64Array {
  return start.map((v, j) => {
    const width = upper[j] - lower[j];
    return width < Infinity ? lower[j] + width * draws.uniform() : v + spread * draws.normal();
  });
}

/**
 * A random point: uniform in the box, or normal about the start where a side is open, with a deviation of `spread` initial steps.
 *
 * Where a restart begins: the random point of an update of its own.
 */
export const freshStart = (given: SearchStart, update: number): Float64Array => randomPoint(given, given.stream.at(update));
