import type { Tensor } from "../../engine/contract/index.ts";
import type { KeptPart } from "../../engine/loop/kept-part.ts";

/**
 * State of one part of a run: numbers and lists of vectors, which are changed in place. A snapshot can store the state
 * bit for bit.
 */
export interface Kept {
  readonly numbers: Record<string, number>;
  readonly arrays: Record<string, Float64Array[]>;
}

/** Copies the state under `${prefix}.…`. Numbers are stored as a tensor, because JSON has no NaN. */
export function keep(prefix: string, { numbers, arrays }: Kept, into: Record<string, Tensor>): void {
  into[`${prefix}.numbers`] = Float64Array.from(Object.values(numbers));
  into[`${prefix}.counts`] = Float64Array.from(Object.values(arrays), ({ length }) => length);
  for (const [name, list] of Object.entries(arrays))
    for (const [i, array] of list.entries()) into[`${prefix}.${name}.${i}`] = array.slice();
}

/** Restores the values that `keep` returned into the same part. */
export function recall(prefix: string, { numbers, arrays }: Kept, from: KeptPart): void {
  const names = Object.keys(numbers);
  const values = from.floats(`${prefix}.numbers`, names.length);
  for (const [i, name] of names.entries()) numbers[name] = values[i];
  const lists = Object.entries(arrays);
  const counts = from.floats(`${prefix}.counts`, lists.length);
  for (const [k, [name, list]] of lists.entries()) {
    list.length = 0;
    // Fails at the first missing vector, so that a huge count in a damaged snapshot cannot exhaust memory.
    for (let i = 0; i < counts[k]; i++) list.push(from.floats(`${prefix}.${name}.${i}`).slice());
    if (list.length !== counts[k] || from.has(`${prefix}.${name}.${list.length}`))
      from.refuse(`it names ${counts[k]} vectors "${prefix}.${name}"`);
  }
}
