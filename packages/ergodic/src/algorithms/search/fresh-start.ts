/** A random point to begin again at: uniform in the box, or normal about the start with a deviation of 3 initial steps where a side is open. */
import type { SearchStart } from "./search.ts";

const OPEN_SPREAD = 3;

export function freshStart({ lower, upper, start, stream }: SearchStart, update: number): Float64Array {
  const draws = stream.at(update);
  return start.map((v, j) => {
    const width = upper[j] - lower[j];
    return Number.isFinite(width) ? lower[j] + width * draws.uniform() : v + OPEN_SPREAD * draws.normal();
  });
}
