/** Compiled random programs match the interpreter in values and gradients, to 1e-12 in float64 and 1e-5 in float32. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradientsOf, interpret } from "../../../../src/engine/compiler/array/index.ts";
import type { SymbolicArray } from "../../../../src/engine/compiler/array/symbolic.ts";
import { input } from "../../../../src/engine/compiler/array/symbolic.ts";
import { sum } from "../../../../src/engine/compiler/index.ts";
import { power } from "../../../power.ts";
import { runProgram } from "./compiled-program.ts";
import { arbitraryProgram } from "./random-array-programs.ts";

const RUNS = Number(process.env.FC_RUNS ?? power(50, 120));
const SEED = Number(process.env.FC_SEED ?? 20);

describe.each([
  ["f64", 1e-12],
  ["f32", 1e-5],
] as const)("random programs in %s", (precision, bound) => {
  it.each([
    ["small arrays", { large: false }, RUNS],
    ["large arrays", { large: true, steps: 8 }, Math.ceil(RUNS / 5)],
  ] as const)("match the interpreter's values and gradients: %s", async (_, options, numRuns) => {
    // In float32, comparisons of nearly equal numbers may differ from the interpreter's float64.
    const smooth = precision === "f32";
    await fc.assert(
      fc.asyncProperty(arbitraryProgram({ ...options, smooth }), async ({ inputs, output }) => {
        const wrts = inputs.map(({ name, shape }) => input(name, shape));
        const outputs: SymbolicArray[] = [output, ...gradientsOf(sum(output), wrts)];
        const rounded = (x: Float64Array): Float64Array => (precision === "f32" ? x.map(Math.fround) : x);
        const values = Object.fromEntries(inputs.map(({ name, values: x }) => [name, rounded(x)]));
        const wanted = interpret(outputs, values);
        const got = await runProgram(outputs, values, precision);
        for (const k of outputs.keys()) expectNear(got[k], wanted[k], bound, `output ${k}`);
      }),
      { numRuns, seed: SEED },
    );
  });
});

function expectNear(got: Float64Array, wanted: Float64Array, bound: number, what: string): void {
  const scale = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const far = wanted.findIndex((x, i) => !(Object.is(x, got[i]) || Math.abs(x - got[i]) <= bound * scale));
  if (far >= 0) expect.fail(`${what}, element ${far}: ${got[far]}, wanted ${wanted[far]}`);
}
