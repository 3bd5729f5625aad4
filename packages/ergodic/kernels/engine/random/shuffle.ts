/**
 * The order of an epoch: order[0..n), u32, becomes a permutation of first … first + n − 1 for (key, epoch). Exact.
 *
 * kind 0: in order. kind 1: shuffled (Fisher–Yates, from the end: position i changes places with integer(i + 1)). kind 2: blocks of
 * `blockRows` rows, the blocks in random order, the rows inside a block in storage order; the last block may be short. All draws come from
 * the stream `key` at counter `epoch`, so that an epoch's order is known without the epochs before it. `order` holds n u32; kind 2 keeps the
 * block numbers in its tail while it writes.
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
  // The numbers stand at the very end. Each block still to be written has a row or more, so the rows written never pass the next number.
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
