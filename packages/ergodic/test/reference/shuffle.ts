/** Plain twin of kernels/engine/random/shuffle.ts and of drawRows in kernels/engine/random/random.ts. */
import type { Stream } from "../../src/engine/random/stream.ts";

export type ShuffleKind = "in order" | "shuffled" | "blocks";

export function shuffle(first: number, n: number, kind: ShuffleKind, blockRows: number, stream: Stream, epoch: number): number[] {
  const rows = Array.from({ length: n }, (_, i) => first + i);
  if (kind === "in order") return rows;
  if (kind === "shuffled") return permute(rows, stream, epoch);
  const blocks: number[][] = [];
  for (let i = 0; i < n; i += blockRows) blocks.push(rows.slice(i, i + blockRows));
  return permute(blocks, stream, epoch).flat();
}

/** Fisher–Yates from the end. */
function permute<T>(items: T[], stream: Stream, epoch: number): T[] {
  const draws = stream.at(epoch);
  for (let i = items.length; i > 1; i--) {
    const j = draws.integer(i);
    [items[i - 1], items[j]] = [items[j], items[i - 1]];
  }
  return items;
}

export function drawRows(count: number, first: number, rowCount: number, stream: Stream, update: number): number[] {
  const draws = stream.at(update);
  return Array.from({ length: count }, () => first + draws.integer(rowCount));
}
