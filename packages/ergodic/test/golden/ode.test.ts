/** Compares solutions and gradients with rstan's integrate_ode_rk45 and integrate_ode_bdf. ode.R lists the calls. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileFunction, constantArray, ode } from "../../src/engine/compiler/array/index.ts";
import { mul, sum } from "../../src/engine/compiler/index.ts";
import { equations } from "../reference/differential-equations.ts";

interface Case {
  readonly name: string;
  readonly solver: string;
  readonly theta: number[];
  readonly times: number[];
  readonly states: number[][];
  readonly gradient: number[];
}
const golden = JSON.parse(readFileSync(new URL("ode.json", import.meta.url), "utf8")) as Case[];

/** Absolute tolerance for values near 0, in addition to 1e-6 of the value. */
const ABSOLUTE = { robertson: 1e-13 } as Readonly<Record<string, number>>;
const isStiff = ({ name }: Case): boolean => name === "robertson" || name === "vanDerPol";

describe.each(golden.map((one) => ({ ...one, title: `${one.name} by ${one.solver}` })))("$title", (one) => {
  const methods = isStiff(one) ? (["rosenbrock"] as const) : (["dormandPrince", "rosenbrock"] as const);
  it.each(methods)("%s computes the states and gradient to 1e-6", async (method) => {
    const { slope, start } = equations[one.name];
    const [rows, columns] = [one.states.length, one.states[0].length];
    const weights = Float64Array.from({ length: rows * columns }, (_, i) =>
      Math.cos(Math.floor(i / columns) + 1 + 2 * ((i % columns) + 1)),
    );
    const solved = await compileFunction(
      { theta: [one.theta.length] },
      ({ theta }) => {
        const tolerance = 1e-9;
        const options = { method, tolerance, absoluteTolerance: one.name === "robertson" ? 1e-13 : 1e-9 };
        const { states, error } = ode(slope(theta), start(theta), one.times, options);
        return { value: sum(mul(constantArray(weights, [rows, columns]), states)), states, error };
      },
      { gradient: ["theta"] },
    );
    const { outputs, gradient } = solved({ theta: one.theta });
    const absolute = ABSOLUTE[one.name] ?? 1e-7;
    for (const [i, wanted] of one.states.flat().entries())
      expect(Math.abs(outputs.states[i] - wanted), `state ${i}: ${outputs.states[i]}, ${wanted}`).toBeLessThanOrEqual(
        1e-6 * Math.abs(wanted) + absolute,
      );
    for (const [i, wanted] of one.gradient.entries())
      expect(Math.abs(gradient.theta[i] - wanted), `slope ${i}: ${gradient.theta[i]}, ${wanted}`).toBeLessThanOrEqual(
        1e-6 * Math.abs(wanted),
      );
    expect(outputs.error[0]).toBeLessThan(1e-6);
  });
});
