/** Number of edges or factors processed between two yields: a few milliseconds of work. */
export const PIECE = 1 << 15;

/** Yields ranges of factors that take a few milliseconds each. `ends` has the end of each factor's edges. */
export function* factorPieces(ends: Uint32Array): Generator<readonly [from: number, to: number]> {
  let from = 0;
  while (from < ends.length) {
    const most = Math.min(ends.length, from + PIECE);
    const edges = (from === 0 ? 0 : ends[from - 1]) + PIECE;
    let to = from + 1;
    while (to < most && ends[to] <= edges) to++;
    yield [from, to];
    from = to;
  }
}
