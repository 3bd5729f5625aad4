/**
 * The order of an epoch: order[0..n), u32, becomes a permutation of first … first + n − 1 for (key, epoch). Exact.
 *
 * kind 0: in order. kind 1: shuffled (Fisher–Yates, from the end: position i is exchanged with integer(i + 1)). kind 2:
 * blocks of `blockRows` rows in random order, with storage order inside a block; the last block may be short. All draws
 * come from the stream `key` at counter `epoch`, so an epoch's order can be computed without the previous epochs.
 * `order` holds n u32. While kind 2 writes, it stores the block indices in the tail of `order`.
 */
import { integer, seek } from "./random";

export function shuffle(order: usize, first: u32, n: u32, kind: i32, blockRows: u32, keyLow: u32, keyHigh: u32, epoch: f64): void {
  if (kind == 2) {
    seek(keyLow, keyHigh, epoch);
    shuffleBlocks(order, first, n, max<u32>(1, blockRows));
    return;
  }
  for (let i: u32 = 0; i < n; i++) store<u32>(order + (<usize>i << 2), first + i);
  if (kind == 1) {
    seek(keyLow, keyHigh, epoch);
    permute(order, n);
  }
}

function permute(order: usize, n: u32): void {
  for (let i = n; i > 1; i--) {
    const here = order + (<usize>(i - 1) << 2);
    const there = order + (<usize>integer(i) << 2);
    const row = load<u32>(here);
    store<u32>(here, load<u32>(there));
    store<u32>(there, row);
  }
}

function shuffleBlocks(order: usize, first: u32, n: u32, blockRows: u32): void {
  const blockCount = n / blockRows + <u32>(n % blockRows != 0);
  // The block indices are at the very end of `order`. Each remaining block has at least one row, so the rows written so
  // far never overwrite the next index.
  const numbers = order + (<usize>(n - blockCount) << 2);
  for (let j: u32 = 0; j < blockCount; j++) store<u32>(numbers + (<usize>j << 2), j);
  permute(numbers, blockCount);
  let out = order;
  for (let j: u32 = 0; j < blockCount; j++) {
    const start = load<u32>(numbers + (<usize>j << 2)) * blockRows;
    const end = min(start + blockRows, n);
    for (let row = start; row < end; row++, out += 4) store<u32>(out, first + row);
  }
}
