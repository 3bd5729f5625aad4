/**
 * Draws values that depend on hidden states. The states are drawn first, and the values are then drawn given the
 * states. Several values that depend on the same states are drawn one after another, in the order of the model. The
 * first value also draws the states, and the others reuse them.
 */

import { type Shape, type SymbolicArray, sizeOf } from "../../engine/compiler/index.ts";
import type { Draws } from "../../engine/random/stream.ts";
import type { Distribution } from "../distributions/index.ts";
import { collected, type Sampler } from "../distributions/value.ts";

export interface StateSource {
  /** Arrays that determine the distribution of the states. */
  readonly arrays: readonly SymbolicArray[];
  /** Draws the state of each element, in row-major order. `numbers`: values of `arrays`. */
  states(numbers: readonly Float64Array[], batch: Shape): (draws: Draws, i: number) => number;
}

/**
 * Makes a sampler for each value. `parts`: for each value, its distributions by state. All of them have the same batch
 * shape.
 */
export function stateSamplers(
  source: StateSource,
  parts: readonly (readonly Distribution[])[],
): readonly Pick<Distribution, "sampler">[] {
  /** Last drawn state of each element. */
  let path = new Int32Array(0);
  return parts.map((given, part) => ({
    sampler(batch: Shape = given[0].batch): Sampler {
      const each = given.map((distribution) => distribution.sampler(batch));
      const own = part === 0 ? source.arrays : [];
      const count = sizeOf(batch);
      const elements = (numbers: readonly Float64Array[]) => {
        let at = own.length;
        const drawn = each.map(({ arrays, elements: values }) => values(numbers.slice(at, (at += arrays.length))));
        if (part > 0) return (draws: Draws, i: number) => drawn[path[i]](draws, i);
        const next = source.states(numbers.slice(0, own.length), batch);
        if (path.length !== count) path = new Int32Array(count);
        return (draws: Draws, i: number) => {
          path[i] = next(draws, i);
          return drawn[path[i]](draws, i);
        };
      };
      return {
        arrays: [...own, ...each.flatMap(({ arrays }) => arrays)],
        elements,
        draw(draws, numbers) {
          const drawn = elements(numbers);
          return collected(count, (i) => drawn(draws, i));
        },
      };
    },
  }));
}
