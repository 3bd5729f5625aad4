/** Edges or factors that are gone through between two yields: a few milliseconds. */
export const PIECE = 1 << 15;

/** Factors in pieces, each of which takes a few milliseconds. `ends`: by factor, where its edges end. */
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
