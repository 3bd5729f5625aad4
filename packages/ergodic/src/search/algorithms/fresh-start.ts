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
 * Returns the random point at which a restart begins. The point is drawn with the random numbers of `update`. Each
 * coordinate is uniform in the box. If a side of the box is open, it is normal about the start with a standard
 * deviation of `spread` initial steps.
 */
export const freshStart = (given: SearchStart, update: number): Float64Array => randomPoint(given, given.stream.at(update));
