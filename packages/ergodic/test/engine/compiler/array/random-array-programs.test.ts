/** Derivatives of random programs agree with finite differences in the interpreter. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { constantArray, gradientsOf, hessianVector, input, interpret } from "../../../../src/engine/compiler/array/index.ts";
import { mul, sum } from "../../../../src/engine/compiler/index.ts";
import { power } from "../../../power.ts";
import { numbers } from "../../../reference/arrays.ts";
import { arbitraryProgram, operationNames, type RandomProgram } from "./random-array-programs.ts";

const RUNS = { numRuns: power(60, 150), seed: 20 };
/** Tolerance of five-point differences for programs whose fifth derivatives can reach 1e6. */
const H = 2 ** -9;
const TOLERANCE = 1e-6;

type Values = Record<string, Float64Array>;
const valuesOf = ({ inputs }: RandomProgram): Values => Object.fromEntries(inputs.map(({ name, values }) => [name, values]));

/** Moves all inputs by `step` along their directions. */
const moved = ({ inputs }: RandomProgram, step: number): Values =>
  Object.fromEntries(
    inputs.map(({ name, values }, i) => [name, direction(values.length, i).map((v, j) => values[j] + step * v)]),
  );
const direction = (size: number, i: number): Float64Array => numbers(size, 50 + i);

const slope = (f: (step: number) => number): number => (8 * (f(H) - f(-H)) - (f(2 * H) - f(-2 * H))) / (12 * H);
/**
 * Also takes half the step. If the two differ, a kink or a steep place lies in between and the differences are
 * unusable.
 */
const steady = (f: (step: number) => number): number | undefined => {
  const [whole, half] = [slope(f), slope((step) => f(step / 2)) * 2];
  return Math.abs(whole - half) <= TOLERANCE * Math.max(1, Math.abs(whole)) ? whole : undefined;
};

describe("random programs", () => {
  it("have gradients that agree with finite differences in nearly all steady cases", () => {
    let told = 0;
    fc.assert(
      fc.property(arbitraryProgram(), (program) => {
        const nodes = program.inputs.map(({ name, shape }) => input(name, shape));
        const gradients = interpret(gradientsOf(program.output, nodes), valuesOf(program));
        const own = gradients.reduce((total, g, i) => g.reduce((t, x, j) => t + x * direction(g.length, i)[j], total), 0);
        const wanted = steady((step) => interpret([program.output], moved(program, step))[0][0]);
        if (wanted === undefined) return;
        told++;
        expect(Math.abs(own - wanted), `${program.steps.join(" ")}: ${own}, wanted ${wanted}`).toBeLessThan(
          4 * TOLERANCE * Math.max(1, Math.abs(wanted)),
        );
      }),
      RUNS,
    );
    expect(told).toBeGreaterThan(0.9 * RUNS.numRuns);
  });

  it("have Hessians that agree with differences of gradients", () => {
    let told = 0;
    fc.assert(
      fc.property(arbitraryProgram({ smooth: true, steps: 8 }), (program) => {
        const nodes = program.inputs.map(({ name, shape }) => input(name, shape));
        const vectors = nodes.map((x, i) => constantArray(direction(x.size, i), x.shape));
        const curved = interpret(hessianVector(program.output, nodes, vectors), valuesOf(program));
        const paired = nodes.map((x, i) => [x, constantArray(numbers(x.size, 70 + i), x.shape)] as const);
        const gradients = gradientsOf(program.output, nodes);
        const projected = gradients.map((g, i) => sum(mul(g, paired[i][1])));
        const wanted = steady((step) => interpret(projected, moved(program, step)).reduce((t, x) => t + x[0], 0));
        if (wanted === undefined) return;
        told++;
        const own = curved.reduce((total, c, i) => c.reduce((t, x, j) => t + x * numbers(c.length, 70 + i)[j], total), 0);
        expect(Math.abs(own - wanted), `${program.steps.join(" ")}: ${own}, wanted ${wanted}`).toBeLessThan(
          4 * TOLERANCE * Math.max(1, Math.abs(wanted)),
        );
      }),
      RUNS,
    );
    expect(told).toBeGreaterThan(0.9 * RUNS.numRuns);
  });

  it("use every operation", () => {
    const used = new Set<string>();
    fc.assert(
      fc.property(arbitraryProgram(), ({ steps, output }) => {
        for (const step of steps) used.add(step);
        expect(output.shape).toEqual([]);
      }),
      { numRuns: power(400, 1000), seed: 1 },
    );
    expect([...used].sort()).toEqual([...operationNames].sort());
  });
});
