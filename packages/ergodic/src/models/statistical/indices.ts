/** Data that are used as indices are looked at once, when they come: a wrong one would gather NaN, and no start would have a finite density. */
import { DataError } from "../../base/errors.ts";
import { firstWrongIndex, type IndexWatch, wantedIndices } from "../../compiler/array/indices.ts";
import { arraysBelow, interpret, type SymbolicArray } from "../../compiler/index.ts";
import { elementName } from "./element.ts";
import { withUserLine } from "./user-line.ts";

/** Looks at indices that depend on the data alone. */
export function dataIndices(data: ReadonlyMap<string, Float64Array>): IndexWatch {
  const smallest = new Map<SymbolicArray, number>();
  return (where, indices, extent) => {
    if ((smallest.get(indices) ?? Infinity) <= extent) return;
    const inputs = arraysBelow([indices]).filter(({ op }) => op === "input");
    if (inputs.some(({ attributes }) => !data.has(String(attributes)))) return;
    const numbers = data.get(String(indices.attributes)) ?? interpret([indices], Object.fromEntries(data))[0];
    const wrong = firstWrongIndex(numbers, extent);
    smallest.set(indices, extent);
    if (wrong === undefined) return;
    withUserLine(() => {
      throw new DataError(
        nameOf(indices, inputs, wrong),
        `it is ${numbers[wrong]}, but ${where}() has ${extent} to choose from, so that it ${wantedIndices(numbers, extent)}`,
        "DATA_INDEX",
      );
    });
  };
}

function nameOf(indices: SymbolicArray, inputs: readonly SymbolicArray[], wrong: number): string {
  const own = inputs.map(({ attributes }) => String(attributes).replace(/^data /, ""));
  if (indices.op === "input") return `data ${elementName(`"${own[0]}"`, indices.shape, wrong)}`;
  return `${elementName("index", indices.shape, wrong)} made of ${own.map((name) => `data "${name}"`).join(" and ") || "numbers"}`;
}
