import type { Conditionals } from "../../src/engine/contract/index.ts";
import { philox } from "../../src/engine/random/philox.ts";
import { conditionalAt } from "./conditionals.ts";

/**
 * A replica's uniform number of 32 bits for a position, with a bit from each of 32 random words.
 * kernels/graphs/replica-gibbs.ts compares it with thresholds.
 */
export function uniformOf(position: number, replica: number, sweep: number, key: readonly [number, number]): number {
  const pair = position - (position % 2);
  const lane = 2 * (position % 2) + (replica >> 5);
  const words = new Uint32Array(4);
  let number = 0;
  for (let bit = 0; bit < 32; bit++) {
    if (bit % 4 === 0) philox(words, 2 * pair + lane, bit >> 2, sweep >>> 0, Math.floor(sweep / 2 ** 32), key[0], key[1]);
    number = number * 2 + ((words[bit % 4] >>> (replica & 31)) & 1);
  }
  return number;
}

/** p(x_i = 1 | others) in units of 2^-32, from the product of all factors, rounded to 1 … 2^32 − 1. */
export function thresholdAt(columns: Conditionals, states: Int32Array, variable: number): number {
  return Math.min(2 ** 32 - 1, Math.max(1, Math.round(conditionalAt(columns, states, variable)[1] * 2 ** 32)));
}

/**
 * One sweep over the positions of one replica, whose states are stored by variable. −1 in `variables` means no
 * variable.
 */
export function sweepOfReplica(
  columns: Conditionals,
  variables: ArrayLike<number>,
  states: Int32Array,
  { replica, sweep, key }: { replica: number; sweep: number; key: readonly [number, number] },
): void {
  for (let position = 0; position < variables.length; position++) {
    const variable = variables[position];
    if (variable < 0) continue;
    states[variable] = uniformOf(position, replica, sweep, key) < thresholdAt(columns, states, variable) ? 1 : 0;
  }
}
