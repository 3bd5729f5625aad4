/** Bounds of whole-number parameters, if they can be computed from the data alone. */
import { arraysBelow, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";
import type { Support } from "../distributions/index.ts";

export interface IntegerBounds {
  /**
   * −∞ or ∞ if there is no bound, or if the bound depends on other parameters. For several elements, these are the
   * widest bounds.
   */
  readonly low: number;
  readonly high: number;
}

export function integerBounds(support: Support, data: ReadonlyMap<string, Float64Array>): IntegerBounds {
  const { low, high } = support.kind === "integers" ? support : {};
  const lows = numbersOf(low, data);
  const highs = numbersOf(high, data);
  return {
    low: lows ? lows.reduce((a, b) => Math.min(a, b)) : -Infinity,
    high: highs ? highs.reduce((a, b) => Math.max(a, b)) : Infinity,
  };
}

/** Returns the values; undefined if the array depends on parameters. */
function numbersOf(array: SymbolicArray | undefined, data: ReadonlyMap<string, Float64Array>): Float64Array | undefined {
  if (!array) return undefined;
  const isMoved = ({ op, attributes }: SymbolicArray): boolean => op === "input" && String(attributes).startsWith("u ");
  return arraysBelow([array]).some(isMoved) ? undefined : interpret([array], Object.fromEntries(data))[0];
}
