/** Parameters of checkpoints of descent: copies are averaged, and copies of different lengths are refused. */
import { expect, it } from "vitest";
import { PARAMETER_SCALE } from "../../../src/engine/numbers/fixed-point.ts";
import { keptParameters } from "../../../src/learning/descent/kept-parameters.ts";

const kept = (tensors: Record<string, Float64Array | Int16Array>) => keptParameters({ state: {}, tensors } as never);

it("averages the copies, each with its scale", () => {
  const scaled = { "parameters.1": Float64Array.of(1, 2), "scale.1": Float64Array.of(3) };
  expect(kept({ "parameters.0": Float64Array.of(1, 4), ...scaled })).toEqual(Float64Array.of(2, 5));
  expect(kept({ "parameters.0": Int16Array.of(2) })).toEqual(Float64Array.of(2 * PARAMETER_SCALE));
});

it("refuses copies of different lengths, and finds none in other checkpoints", () => {
  const damaged = { "parameters.0": Float64Array.of(1, 4), "parameters.1": Float64Array.of(1) };
  expect(() => kept(damaged)).toThrow(/"parameters.1" has 1 numbers, but 2 are wanted/);
  expect(kept({ other: Float64Array.of(1) })).toBeUndefined();
});
