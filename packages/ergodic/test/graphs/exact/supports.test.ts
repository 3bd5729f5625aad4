/**
 * Junction trees without zero entries: supports are compared with enumeration, and passes with results over all states.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { SparseBlock } from "../../../src/graphs/exact/clique-block.ts";
import { junctionTree } from "../../../src/graphs/exact/junction-tree.ts";
import { allocateSupport, type Support, supportOf } from "../../../src/graphs/exact/support.ts";
import { type PassKind, TreePass } from "../../../src/graphs/exact/tree-pass.ts";
import { TreeSupports } from "../../../src/graphs/exact/tree-supports.ts";
import { eliminationOrder } from "../../../src/graphs/parts/elimination-orders.ts";
import { sizeOf, type Table } from "../../../src/graphs/parts/factor-table.ts";
import { type Component, reduce } from "../../../src/graphs/parts/reduction.ts";
import { power } from "../../power.ts";
import { enumerateGraph } from "../../reference/enumerate-graph.ts";
import { denseGraphs, randomGraphs } from "../../reference/random-graph.ts";

const engine = await openEngine({ families: ["graphs"] });
const { memory } = engine;

/** Joint states of a support's axes, each with the number of its block, read from the levels of the support. */
function statesOf(support: Support, shape: readonly number[]): { states: number[]; block: number }[] {
  let found: { states: number[]; block: number }[] = [{ states: [], block: 0 }];
  for (const [k, count] of shape.entries()) {
    const words = Math.ceil(count / 32);
    found = found.flatMap(({ states, block }) => {
      const node = memory.u32(support.levels[k] + block * words * 8, words * 2);
      const below: { states: number[]; block: number }[] = [];
      for (let state = 0; state < count; state++) {
        const [bits, first] = [node[(state >>> 5) * 2], node[(state >>> 5) * 2 + 1]];
        if (!((bits >>> (state & 31)) & 1)) continue;
        let before = 0;
        for (let other = state & ~31; other < state; other++) before += (bits >>> (other & 31)) & 1;
        below.push({ states: [...states, state], block: first + before });
      }
      return below;
    });
  }
  return found;
}

const digitsOf = (index: number, shape: readonly number[]): number[] =>
  shape.map((count, k) => Math.floor(index / sizeOf(shape.slice(k + 1))) % count);

/** Bits on axes of up to 40 states, so that nodes need several words. */
const patterns = fc
  .array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 })
  .filter((shape) => sizeOf(shape) <= 4000)
  .chain((shape) =>
    // Tenths, because random doubles are mostly close to 0, and so were the tables.
    fc.tuple(fc.integer({ min: 0, max: 10 }), fc.nat()).map(([tenths, seed]) => ({
      shape,
      values: Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
        ((Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503)) >>> 0) / 2 ** 32 < tenths / 10 ? 1 : 0,
      ),
    })),
  );

describe("supports", () => {
  it("contain the positive states of a table, numbered in their order", () => {
    fc.assert(
      fc.property(patterns, ({ shape, values }) => {
        const support = supportOf(memory, { scope: [...shape.keys()], shape, values });
        const wanted = [...values.keys()].filter((i) => values[i] > 0);
        expect(support.blocks).toBe(wanted.length);
        expect(statesOf(support, shape)).toEqual(wanted.map((i, block) => ({ states: digitsOf(i, shape), block })));
        support.allocation.dispose();
      }),
      { numRuns: power(80, 300), seed: 1 },
    );
  });

  it("are counted and built in steps of any size, and satisfy all restrictions", () => {
    let deadEnds = 0;
    fc.assert(
      fc.property(patterns, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 50 }), (first, other, keep, steps) => {
        const { shape } = first;
        const axes = [...shape.keys()].map((k) => 3 * k + 1);
        // Another table, on a subset of the axes.
        const some = axes.filter((_, k) => (other >>> k) & 1);
        const theirs = some.map((axis) => shape[axes.indexOf(axis)]);
        const values = Float64Array.from({ length: sizeOf(theirs) }, (_, i) =>
          some.length > 0 && (i * 7 + other) % 3 === 0 ? 0 : 1,
        );
        const supports = [
          supportOf(memory, { scope: axes, shape, values: first.values }),
          supportOf(memory, { scope: some, shape: theirs, values }),
        ];
        const left = [...first.values.keys()].filter((i) => {
          const digits = digitsOf(i, shape);
          const at = some.reduce((sum, axis, k) => sum * theirs[k] + digits[axes.indexOf(axis)], 0);
          return first.values[i] > 0 && values[at] > 0;
        });
        const kept = keep % (shape.length + 1);
        const prefixes = shape.map(
          (_, k) =>
            new Set(
              left.map((i) =>
                digitsOf(i, shape)
                  .slice(0, k + 1)
                  .join(),
              ),
            ),
        );
        const counting = new SparseBlock(memory, [...axes, 0], [...shape, 2], shape.length, { supports });
        while (engine.kernel("cliqueSupportCount", false)(counting.pointer, steps) === steps);
        expect(counting.leaves).toBe(left.length);
        expect(counting.prefixes(shape.length + 1).slice(1)).toEqual(prefixes.map(({ size }) => size));
        const begun = new Set(
          [...first.values.keys()].filter((i) => first.values[i] > 0).map((i) => Math.floor(i / shape.at(-1)!)),
        );
        if (shape.length > 1 && begun.size > prefixes[shape.length - 2].size) deadEnds++;
        const nodes = [1, ...counting.prefixes(shape.length + 1).slice(1)];
        const blocks = nodes[kept];
        const built = allocateSupport(memory, axes.slice(0, kept), shape.slice(0, kept), nodes, blocks);
        const building = new SparseBlock(memory, [...axes, 0], [...shape, 2], shape.length, { supports, built });
        while (engine.kernel("cliqueSupportBuild", false)(building.pointer, steps) === steps);
        if (kept > 0)
          expect(statesOf(built, shape.slice(0, kept))).toEqual(
            [...prefixes[kept - 1]].map((key, block) => ({ states: key.split(",").map(Number), block })),
          );
        for (const piece of [counting, building, built.allocation, ...supports.map(({ allocation }) => allocation)])
          piece.dispose();
      }),
      { numRuns: power(80, 300), seed: 2 },
    );
    expect(deadEnds).toBeGreaterThan(power(13, 50));
  });
});

async function passOver(part: Component, kind: PassKind, inner: number, options = {}) {
  const scopes = part.tables.map(({ scope }) => scope);
  const cliques = junctionTree(eliminationOrder(part.cardinalities, scopes, { effort: 0 }).order, scopes);
  const supports = new TreeSupports(cliques, part, engine, inner);
  for await (const _ of supports.find({ mostWork: Infinity, memory: Infinity }));
  const pass = new TreePass(cliques, part, kind, engine, { ...options, supports });
  for await (const _ of pass.work());
  pass.dispose();
  supports.dispose();
  return pass;
}

/** ln of the product of a part's tables at given states. */
function logProduct({ tables }: Component, states: ArrayLike<number>): number {
  const at = ({ scope, shape }: Table): number => scope.reduce((sum, variable, k) => sum * shape[k] + states[variable], 0);
  return tables.reduce((sum, table) => sum + (table.logs ? table.values[at(table)] : Math.log(table.values[at(table)])), 0);
}

describe.each([1, 4])("passes over supports with %i inner states", (inner) => {
  it.each([
    ["graphs of all sorts", randomGraphs],
    ["wide graphs", denseGraphs],
  ])("equals enumeration: %s", async (_, graphs) => {
    const before = memory.usedBytes;
    await fc.assert(
      fc.asyncProperty(graphs, fc.boolean(), async (graph, careful) => {
        const { scale, components, states } = reduce(graph);
        const truth = enumerateGraph(graph);
        fc.pre(Number.isFinite(truth.logZ));
        const passes = [];
        for (const part of components) {
          const sums = await passOver(part, "marginals", inner, { careful });
          if (sums.lost) return;
          const best = await passOver(part, "map", inner);
          passes.push({ part, sums: sums.answer, best: best.answer });
        }
        const near = (value: number, wanted: number): void =>
          expect(Math.abs(value - wanted)).toBeLessThan(1e-11 * Math.max(1, Math.abs(wanted)));
        near(
          passes.reduce((sum, { sums }) => sum + sums.logValue, scale),
          truth.logZ,
        );
        near(
          passes.reduce((sum, { best }) => sum + best.logValue, scale),
          truth.logLargest,
        );
        for (const { part, sums, best } of passes) {
          expect(Math.abs(logProduct(part, best.states!) - best.logValue)).toBeLessThan(1e-9);
          for (const [local, variable] of part.variables.entries())
            states[variable].forEach((state, s) => {
              expect(Math.abs(sums.marginals![local][s] - truth.marginals[variable][state])).toBeLessThan(1e-12);
            });
        }
      }),
      { numRuns: power(40, 150), seed: 3 },
    );
    expect(memory.usedBytes).toBeLessThanOrEqual(before);
  });
});
