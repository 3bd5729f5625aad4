/** Random programs: compiled ones equal the interpreter, values and gradients, in float64 to 1e-12 and in float32 to 1e-5. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradientsOf, hessianVector, interpret } from "../../../src/compiler/array/index.ts";
import type { SymbolicArray } from "../../../src/compiler/array/symbolic.ts";
import { input } from "../../../src/compiler/array/symbolic.ts";
import { sum } from "../../../src/compiler/index.ts";
import { runProgram } from "./compiled-program.ts";
import { arbitraryProgram } from "./zz-random-large.ts";

const HVP = !!process.env.HVP;
const RUNS = Number(process.env.FC_RUNS ?? 120);

describe.each([
  ["f64", 1e-12],
  ["f32", 3e-5],
] as const)("random programs in %s", (precision, bound) => {
  it("give the interpreter's values and gradients", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryProgram({ steps: 40, smooth: HVP }), async ({ inputs, output }) => {
        const wrts = inputs.map(({ name, shape }) => input(name, shape));
        const total = sum(output);
        const g = gradientsOf(total, wrts); const outputs: SymbolicArray[] = [output, ...(HVP ? hessianVector(total, wrts, wrts) : g)];
        const values = Object.fromEntries(
          inputs.map(({ name, values: x }) => [
            name,
            precision === "f32" ? Float64Array.from(x, Math.fround) : Float64Array.from(x),
          ]),
        );
        const wanted = interpret(outputs, values);
        const got = await runProgram(outputs, values, precision);
        outputs.forEach((node, k) => {
          const scale = wanted[k].reduce((m, x) => Math.max(m, Math.abs(x)), 1);
          wanted[k].forEach((x, i) => {
            if (
              Object.is(x, got[k][i]) ||
              Math.abs(x - got[k][i]) <= bound * scale ||
              (Number.isNaN(x) && Number.isNaN(got[k][i]))
            )
              return;
            expect.fail(`output ${k} (${node.op}) element ${i}: ${got[k][i]}, wanted ${x}`);
          });
        });
      }),
      { numRuns: RUNS },
    );
  }, 500_000);
});
