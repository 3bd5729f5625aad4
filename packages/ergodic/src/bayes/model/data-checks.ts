/**
 * Checks data that serve as indices or as parameters of distributions. The checks run once, when the data are given. A
 * wrong value would either define a different model or produce NaN. With NaN, no start has a finite density.
 */

import { firstWrongIndex, type IndexWatch, wantedIndices } from "../../engine/compiler/array/indices.ts";
import { firstWrongTime, wantedTime } from "../../engine/compiler/array/operations/ode/times.ts";
import type { WatchedSolution } from "../../engine/compiler/array/operations/ode/watch.ts";
import { arraysBelow, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";
import { CompileError, DataError } from "../../engine/errors/errors.ts";
import { isNumber, wantedOf } from "../distributions/constraint.ts";
import type { Distribution } from "../distributions/index.ts";
import { elementName } from "./element.ts";
import { closedSets, type HiddenMarkov } from "./hidden-markov.ts";
import { withUserLine } from "./user-line.ts";

type Data = ReadonlyMap<string, Float64Array>;

/** Checks indices that depend only on the data. */
export function dataIndices(data: Data): IndexWatch {
  const smallest = new Map<SymbolicArray, number>();
  return (where, indices, extent) => {
    if ((smallest.get(indices) ?? Infinity) <= extent) return;
    const numbers = numbersOf(indices, data);
    if (!numbers) return;
    smallest.set(indices, extent);
    const wrong = firstWrongIndex(numbers, extent);
    if (wrong === undefined) return;
    withUserLine(() => {
      throw new DataError(
        nameOf("index", indices, wrong),
        `it is ${numbers[wrong]}, but ${where}() has ${extent} to choose from, so that it ${wantedIndices(numbers, extent)}`,
        "DATA_INDEX",
      );
    });
  };
}

/**
 * @throws DataError if data-only times of a differential equation decrease or precede its start, or if the start is not
 *   finite
 */
export function checkDataTimes({ times, from }: WatchedSolution, data: Data): void {
  const [numbers, start] = [times, from].map((array) => numbersOf(array, data) ?? constantsOf(array));
  if (start && !Number.isFinite(start[0]))
    withUserLine(() => {
      throw new DataError(
        nameOf("from", from, 0),
        `it is ${start[0]}, but the initial state of ode() must be finite; change it`,
        "DATA_RANGE",
      );
    });
  const wrong = numbers && firstWrongTime(start?.[0] ?? -Infinity, numbers);
  if (wrong === undefined) return;
  withUserLine(() => {
    throw new DataError(
      inputsBelow(times).length > 0 ? nameOf("times", times, wrong) : `times[${wrong}]`,
      `it is ${numbers![wrong]}, but is a time of ode(), which ${wantedTime(start?.[0] ?? -Infinity, numbers!, wrong)}`,
      "DATA_RANGE",
    );
  });
}

const constantsOf = (array: SymbolicArray): Float64Array | undefined =>
  inputsBelow(array).length === 0 ? interpret([array], {})[0] : undefined;

/** @throws DataError if a parameter that depends only on the data violates its constraint */
export function checkDataParameters({ family, name, parameters }: Distribution, data: Data): void {
  for (const [key, array] of Object.entries(parameters)) {
    const constraint = family.constraints[key];
    if (constraint !== "positive" && constraint !== "nonnegative" && constraint !== "probability" && constraint !== "count")
      continue;
    const numbers = numbersOf(array, data);
    const wrong = numbers?.findIndex((x) => !isNumber(constraint, x)) ?? -1;
    if (wrong < 0) continue;
    throw new DataError(
      nameOf(key, array, wrong),
      `it is ${numbers![wrong]}, but is the ${key.replace(/^\d+\./, "")} of ${name}, which must be ${wantedOf(constraint)}; change it`,
      "DATA_RANGE",
    );
  }
}

/**
 * @throws DataError or CompileError if the stationary distribution of a chain is requested, but constants or data
 *   define a chain with several stationary distributions
 */
export function checkChain({ transition, isStationary, states }: HiddenMarkov, data: Data): void {
  const numbers = isStationary ? (numbersOf(transition, data) ?? constantsOf(transition)) : undefined;
  const sets = numbers ? closedSets(numbers, states) : [];
  if (sets.length < 2) return;
  const [first, second] = sets.map((set) => (set.length > 4 ? `${set.slice(0, 3).join(", ")}, …` : set.join(", ")));
  const said = `the chain never leaves the states {${first}} once it is there, nor {${second}}, so that it has several stationary distributions; give the probabilities of the first state, as in hiddenMarkov([${new Array(Math.min(states, 3)).fill(states < 4 ? `1/${states}` : "p").join(", ")}${states > 3 ? ", …" : ""}], transition), or "uniform"`;
  const names = inputsBelow(transition).map(({ attributes }) => `"${String(attributes).replace(/^data /, "")}"`);
  if (names.length > 0) throw new DataError(`data ${names.join(" and ")}`, said, "DATA_RANGE");
  throw new CompileError("hiddenMarkov", said, "COMPILE_OPERAND");
}

/** @throws DataError if data about each observed value contradict the value */
export function checkObserved(observed: SymbolicArray, { family }: Distribution, data: Data): void {
  for (const { name, array, isWrong, wanted } of family.dataChecks ?? []) {
    const numbers = numbersOf(array, data) ?? constantsOf(array);
    const seen = numbersOf(observed, data) ?? constantsOf(observed);
    const of = (i: number): number => (seen?.length === numbers?.length ? (seen?.[i] ?? Number.NaN) : Number.NaN);
    const wrong = numbers?.findIndex((x, i) => isWrong(x, of(i))) ?? -1;
    if (wrong < 0) continue;
    throw new DataError(
      nameOf(name, array, wrong),
      `it is ${numbers![wrong]}, but "${name}" of ${family.name}() must be ${wanted}; change it`,
      "DATA_RANGE",
    );
  }
}

/** Returns the values; undefined if the array depends on parameters, or on no data. */
function numbersOf(array: SymbolicArray, data: Data): Float64Array | undefined {
  const own = data.get(String(array.op === "input" && array.attributes));
  if (own) return own;
  const inputs = inputsBelow(array);
  if (inputs.length === 0 || inputs.some(({ attributes }) => !data.has(String(attributes)))) return undefined;
  return interpret([array], Object.fromEntries(data))[0];
}

const inputsBelow = (array: SymbolicArray): SymbolicArray[] => arraysBelow([array]).filter(({ op }) => op === "input");

/** Formats an element for error messages: 'data "group"[7]', 'index[7] made of data "group"'. */
function nameOf(what: string, array: SymbolicArray, at: number): string {
  const names = inputsBelow(array).map(({ attributes }) => `"${String(attributes).replace(/^data /, "")}"`);
  if (array.op === "input") return `data ${elementName(names[0], array.shape, at)}`;
  return `${elementName(what, array.shape, at)} made of data ${names.join(" and ")}`;
}
