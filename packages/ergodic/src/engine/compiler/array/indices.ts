/**
 * Checks indices as soon as their values are known. Constants are checked when they are written; a model's data is
 * checked while the model is traced (`watchIndices`). Indices computed from parameters are not known in advance.
 * Kernels truncate such indices to integers, and gather NaN for an index out of range.
 */
import { CompileError } from "../../errors/errors.ts";
import { interpret } from "./interpret.ts";
import { expressionOf, mapArrays } from "./operations/map-reduce.ts";
import { userLine } from "./position.ts";
import { arraysBelow, type SymbolicArray } from "./symbolic.ts";

/** Callback that receives indices that are not constant. The argument `extent` is the number of valid positions. */
export type IndexWatch = (where: string, indices: SymbolicArray, extent: number) => void;

let watch: IndexWatch | undefined;
/** Maps each element of a scan to the array that is scanned. */
const wholes = new WeakMap<SymbolicArray, SymbolicArray>();

export const isElementOf = (element: SymbolicArray, whole: SymbolicArray): void => void wholes.set(element, whole);

/** Runs `trace`. `look` checks the indices that are used meanwhile. */
export function watchIndices<T>(look: IndexWatch, trace: () => T): T {
  const outer = watch;
  watch = look;
  try {
    return trace();
  } finally {
    watch = outer;
  }
}

/**
 * Checks indices that are known.
 * @throws CompileError for constants that are not valid indices, and whatever a watch throws
 */
export function checkIndices(where: string, indices: SymbolicArray, extent: number): void {
  const whole = wholeOf(indices);
  const numbers = constantsOf(whole);
  if (!numbers) {
    watch?.(where, whole, extent);
    return;
  }
  const wrong = firstWrongIndex(numbers, extent);
  if (wrong === undefined) return;
  const place = numbers.length > 1 ? `index ${wrong}` : "the index";
  throw new CompileError(
    where,
    `${place} is ${numbers[wrong]}, but ${wantedIndices(numbers, extent)}${userLine()}`,
    "COMPILE_INDEX",
  );
}

/**
 * Returns all values that an element of a scan takes over the steps of the scan. The argument can also be a function of
 * a scan's element alone.
 */
function wholeOf(indices: SymbolicArray): SymbolicArray {
  const source = wholes.get(indices);
  if (source) return wholeOf(source);
  if (indices.op !== "map" || indices.args.length !== 1) return indices;
  const below = wholes.get(indices.args[0]);
  return below ? wholeOf(mapArrays(expressionOf(indices), [wholeOf(below)])) : indices;
}

/** Returns the values of an array if it is computed from constants alone. */
function constantsOf(array: SymbolicArray): Float64Array | undefined {
  if (array.op === "full") return Float64Array.of(array.attributes as number);
  if (array.op === "constant") return array.attributes as Float64Array;
  const isOpen = ({ op }: SymbolicArray): boolean => op === "input" || op === "uniform" || op === "normal";
  return arraysBelow([array]).some(isOpen) ? undefined : interpret([array], {})[0];
}

/** Returns the position of the first number that is not an integer from 0 to extent − 1. */
export function firstWrongIndex(numbers: ArrayLike<number>, extent: number): number | undefined {
  for (let i = 0; i < numbers.length; i++) {
    const index = numbers[i];
    if (!(Number.isInteger(index) && index >= 0 && index < extent)) return i;
  }
  return undefined;
}

/** Returns "must be a whole number from 0 to 7, as indices count from 0". */
export const indexRange = (extent: number): string => `must be a whole number from 0 to ${extent - 1}, as indices count from 0`;

/**
 * Returns the range of valid indices, and advice if all given indices seem to count from 1. `numbers` must be all indices
 * of the data, because a few of them are often above 0 by chance.
 */
export function wantedIndices(numbers: ArrayLike<number>, extent: number): string {
  const all = Array.from(numbers);
  const fromOne = all.every((x) => Number.isInteger(x) && x >= 1 && x <= extent);
  return `${indexRange(extent)}${fromOne ? "; these count from 1: subtract 1 from each" : ""}`;
}
