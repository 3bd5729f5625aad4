/**
 * Sweeps over cliques agree with a plain twin for every pattern of axes in tables and outputs, in pieces and in one.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { CliqueBlock, type Placed } from "../../../src/graphs/exact/clique-block.ts";
import * as F from "../../../src/graphs/fields.ts";
import { power } from "../../power.ts";
import { between } from "../../reference/between.ts";
import { type PlainTable, type SweepMode, sweepClique } from "../../reference/clique.ts";

const engine = await openEngine({ families: ["graphs"] });
const { memory } = engine;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, count) => product * count, 1);

/**
 * Axes have arbitrary numbers in any order. Tables and outputs have some of the axes in the same order. Up to 4096
 * joint states, so that outer axes occur, too.
 */
const cliques = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 9 })
  .filter((shape) => sizeOf(shape) <= 4096)
  .chain((shape) => {
    const axes = shape.map((_, k) => (k * 7 + 3) % 31);
    const subset = fc.subarray(axes);
    return fc.record({
      axes: fc.constant(axes),
      shape: fc.constant(shape),
      tables: fc.array(subset, { minLength: 1, maxLength: 4 }),
      outputs: fc.array(subset, { minLength: 1, maxLength: 3 }),
      seed: fc.nat(),
      cut: between(0, 1),
    });
  });

function filled(
  axes: readonly number[],
  of: { axes: readonly number[]; shape: readonly number[] },
  value: (i: number) => number,
): PlainTable {
  const size = sizeOf(axes.map((axis) => of.shape[of.axes.indexOf(axis)]));
  return { axes, values: Float64Array.from({ length: size }, (_, i) => value(i)) };
}

function placed({ axes, values }: PlainTable): Placed & { dispose(): void; read(): Float64Array } {
  const piece = memory.allocate(values.length * 8, "a test");
  memory.f64(piece.pointer, values.length).set(values);
  return {
    pointer: piece.pointer,
    axes,
    dispose: () => piece.dispose(),
    read: () => memory.f64(piece.pointer, values.length).slice(),
  };
}

describe.each<SweepMode>(["cliqueSum", "cliqueMax", "cliqueLogSum"])("%s", (mode) => {
  it("equals its plain twin", () => {
    fc.assert(
      fc.property(cliques, ({ axes, shape, tables: scopes, outputs: targets, seed, cut }) => {
        const zero = mode === "cliqueSum" ? 0 : -Infinity;
        // Powers of two, so that sums and products do not depend on the order. Some entries are 0.
        const entry = (i: number): number => {
          const k = (Math.imul(i + 1, 2654435761) + seed) >>> 0;
          return k % 5 === 0 ? zero : mode === "cliqueSum" ? 2 ** (k % 4) : (k % 7) - 3;
        };
        const tables = scopes.map((scope, t) => filled(scope, { axes, shape }, (i) => entry(i + 100 * t)));
        const wanted = targets.map((scope) => filled(scope, { axes, shape }, () => zero));
        const given = tables.map(placed);
        const outputs = wanted.map(placed);
        const block = new CliqueBlock(memory, axes, shape, given, outputs);
        const middle = Math.floor(cut * block.blocks);
        // Computes the later piece first, so that no piece starts where the previous one ended.
        for (const [from, to] of [
          [middle, block.blocks],
          [0, middle],
        ])
          engine.kernel(mode, false)(block.pointer, from, to);
        sweepClique(mode, axes, shape, tables, wanted);
        outputs.forEach((output, o) => {
          // One comparison per output, because expect() is slow for many numbers.
          const far = [...output.read()].filter((value, i) => {
            const own = wanted[o].values[i];
            if (mode === "cliqueLogSum" && Number.isFinite(value)) return !(Math.abs(value - own) < 5e-12);
            return !Object.is(value, own);
          });
          expect(far).toEqual([]);
        });
        block.dispose();
        for (const piece of [...given, ...outputs]) piece.dispose();
      }),
      { numRuns: power(100, 300), seed: 1 },
    );
  });

  it("visits only the given states of outer axes", () => {
    const shape = [3, 2, 4, 8, 8, 8];
    const axes = [5, 1, 4, 0, 3, 2];
    const tables = [
      filled(axes, { axes, shape }, (i) => (i % 13) - (mode === "cliqueSum" ? 0 : 6)),
      filled([1, 3], { axes, shape }, (i) => i % 3),
    ];
    const zero = mode === "cliqueSum" ? 0 : -Infinity;
    const wanted = [filled([5, 4], { axes, shape }, () => zero), filled([], { axes, shape }, () => zero)];
    const given = tables.map(placed);
    const outputs = wanted.map(placed);
    const block = new CliqueBlock(
      memory,
      axes,
      shape,
      given,
      outputs,
      new Map([
        [5, [1, 2]],
        [4, [0, 3]],
      ]),
    );
    engine.kernel(mode, false)(block.pointer, 0, block.blocks);
    sweepClique(mode, axes, shape, tables, wanted, (axis, state) => (axis !== 5 || state >= 1) && (axis !== 4 || state < 3));
    outputs.forEach((output, o) => {
      output.read().forEach((value, i) => {
        if (Number.isFinite(wanted[o].values[i])) expect(value).toBeCloseTo(wanted[o].values[i], 9);
        else expect(value).toBe(wanted[o].values[i]);
      });
    });
    block.dispose();
    for (const piece of [...given, ...outputs]) piece.dispose();
  });
});

describe("tables of numbers", () => {
  it.each([...Array(18).keys()])("computes extremes, scales and quotients of %i numbers", (count) => {
    const values = Float64Array.from({ length: count }, (_, i) => [0, 3, 5e-324, 1e300, 0.25][(i * 3) % 5]);
    const by = Float64Array.from({ length: count }, (_, i) => [0, 2, 4, 1e-310][i % 4]);
    const clique = memory.allocate(F.CLIQUE_BYTES, "a test");
    const kept = placed({ axes: [], values });
    const divisor = placed({ axes: [], values: by });
    const low = (): number => memory.f64(clique.pointer + F.CLIQUE_LOW_F64, 1)[0];
    expect(engine.kernel("cliqueExtremes", false)(kept.pointer, count, clique.pointer, 0)).toBe(Math.max(0, ...values));
    expect(low()).toBe(Math.min(Infinity, ...values.filter((value) => value > 0)));
    const logs = placed({ axes: [], values: values.map((value) => Math.log(value)) });
    expect(engine.kernel("cliqueExtremes", false)(logs.pointer, count, clique.pointer, 1)).toBe(
      Math.max(...values.map((value) => Math.log(value))),
    );
    expect(low()).toBe(Math.min(Infinity, ...values.filter((value) => value > 0).map((value) => Math.log(value))));
    engine.kernel("cliqueSubtract", false)(logs.pointer, divisor.pointer, count);
    expect(logs.read()).toEqual(values.map((value, i) => Math.log(value) - by[i]));
    engine.kernel("cliqueScale", false)(kept.pointer, count, 0.5);
    engine.kernel("cliqueDivide", false)(kept.pointer, divisor.pointer, count);
    expect(kept.read()).toEqual(values.map((value, i) => (by[i] === 0 ? 0 : (value * 0.5) / by[i])));
    for (const piece of [clique, kept, divisor, logs]) piece.dispose();
  });
});
