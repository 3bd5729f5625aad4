/**
 * Plain twin of kernels/engine/arrays/fill-random.ts: each element i is computed separately from its own random words.
 */
import { normalQuantile } from "../../src/engine/numbers/normal-quantile.ts";
import { philox } from "../../src/engine/random/philox.ts";

export interface Place {
  readonly key: readonly [number, number];
  readonly update: number;
  readonly stream: number;
}

function word({ key, update, stream }: Place, i: number): number {
  const words = new Uint32Array(4);
  philox(words, Math.floor(i / 4), stream, update >>> 0, Math.floor(update / 2 ** 32), key[0], key[1]);
  return words[i % 4];
}

export const uniformF32 = (place: Place, i: number): number => Math.floor(word(place, i) / 256) / 2 ** 24;

export const uniformF64 = (place: Place, i: number): number =>
  (Math.floor(word(place, 2 * i) / 32) * 2 ** 26 + Math.floor(word(place, 2 * i + 1) / 64)) / 2 ** 53;

export const normal = (place: Place, i: number): number =>
  normalQuantile((Math.floor(word(place, 2 * i) / 64) * 2 ** 26 + Math.floor(word(place, 2 * i + 1) / 64) + 0.5) / 2 ** 52);
