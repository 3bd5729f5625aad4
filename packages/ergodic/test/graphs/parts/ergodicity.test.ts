/** Ergodicity of single changes. Claims are compared with a search through all joint states. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FactorTables } from "../../../src/engine/contract/index.ts";
import { annealedImportanceSampling, infer } from "../../../src/entries/everything.ts";
import { type Ergodicity, ergodicity } from "../../../src/graphs/parts/ergodicity.ts";
import { type Component, reduce } from "../../../src/graphs/parts/reduction.ts";
import { power } from "../../power.ts";
import { denseGraphs, graphOf, gridEdges, randomGraphs } from "../../reference/random-graph.ts";

type Blocks = readonly (readonly number[])[];

function decided(part: Component, mostStates?: number, blocks?: Blocks): Ergodicity {
  const search = ergodicity(part, { mostStates, blocks });
  for (;;) {
    const { done, value } = search.next();
    if (done) return value;
  }
}

/** Depth-first search from the first possible state. */
function reachesAll({ cardinalities, tables }: Component, blocks: Blocks = cardinalities.map((_, v) => [v])): boolean {
  const value = (states: readonly number[]): boolean =>
    tables.every(({ scope, shape, values, logs }) => {
      const at = scope.reduce((place, variable, k) => place * shape[k] + states[variable], 0);
      return values[at] > (logs ? -Infinity : 0);
    });
  const all = cardinalities.reduce<number[][]>(
    (lists, count) => lists.flatMap((list) => Array.from({ length: count }, (_, s) => [...list, s])),
    [[]],
  );
  const possible = new Set(all.filter(value).map((states) => states.join()));
  const [first] = possible;
  if (first === undefined) return true;
  const waiting = [first];
  possible.delete(first);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const states = next.split(",").map(Number);
    for (const block of blocks) {
      let others = [states];
      for (const variable of block)
        others = others.flatMap((one) => Array.from({ length: cardinalities[variable] }, (_, s) => one.with(variable, s)));
      for (const other of others) if (possible.delete(other.join())) waiting.push(other.join());
    }
  }
  return possible.size === 0;
}

const parts = (graph: FactorTables): readonly Component[] => reduce(graph).components;

describe("ergodicity", () => {
  it("is correct on small graphs, and never wrong if it must not enumerate", () => {
    const found = { true: 0, false: 0, unknown: 0 };
    const graphs = [
      ...fc.sample(randomGraphs, { numRuns: power(20, 200), seed: 31 }),
      ...fc.sample(denseGraphs, { numRuns: power(20, 200), seed: 32 }),
    ];
    for (const part of graphs.flatMap(parts)) {
      const truth = reachesAll(part);
      expect(decided(part).ergodic).toBe(truth);
      const { ergodic } = decided(part, 0);
      found[`${ergodic}`]++;
      if (ergodic !== "unknown") expect(ergodic).toBe(truth);
    }
    console.log(`ergodicity, without going through states: ${JSON.stringify(found)}`);
    for (const count of Object.values(found)) expect(count).toBeGreaterThan(0);
  });

  it("is correct for changes of blocks, and never wrong if it must not enumerate", () => {
    const found = { true: 0, false: 0, unknown: 0 };
    let gained = 0;
    const graphs = [
      ...fc.sample(randomGraphs, { numRuns: power(80, 300), seed: 33 }),
      ...fc.sample(denseGraphs, { numRuns: power(80, 300), seed: 34 }),
    ];
    for (const [n, part] of graphs.flatMap(parts).entries()) {
      const blocks: number[][] = [[], [], []];
      for (const variable of part.cardinalities.keys()) blocks[(variable * (n + 1) + (variable >> 1)) % 3].push(variable);
      const truth = reachesAll(part, blocks);
      expect(decided(part, undefined, blocks).ergodic).toBe(truth);
      const { ergodic } = decided(part, 0, blocks);
      found[`${ergodic}`]++;
      if (ergodic !== "unknown") expect(ergodic).toBe(truth);
      if (truth && !reachesAll(part)) gained++;
    }
    console.log(`ergodicity of blocks, without going through states: ${JSON.stringify(found)}; ${gained} by blocks alone`);
    for (const count of [...Object.values(found), gained]) expect(count).toBeGreaterThan(0);
  });

  it("recognises hard cores and equalities in large graphs, and reports unknown cases", () => {
    const of = (count: number, values: readonly number[]): Component => {
      const states = Math.sqrt(values.length);
      const [part] = parts(
        graphOf(
          Array(count * count).fill(states),
          gridEdges(count, count).map((scope) => ({ scope: [...scope], values })),
        ),
      );
      return part;
    };
    expect(decided(of(6, [1, 1, 1, 0])).ergodic).toBe(true);
    expect(decided(of(6, [1, 0, 0, 1])).ergodic).toBe(false);
    expect(decided(of(6, [0, 1, 1, 1, 0, 1, 1, 1, 0])).ergodic).toBe("unknown");
    const pairs = of(6, [1, 2, 2, 1]);
    const equal = { ...pairs.tables[0], scope: [0, 1], values: Float64Array.of(1, 0, 0, 1) };
    const tied = { ...pairs, tables: [...pairs.tables, equal] };
    expect(decided(tied).ergodic).toBe(false);
    const rest = Array.from({ length: 34 }, (_, i) => [i + 2]);
    expect(decided(tied, undefined, [[0, 1], ...rest])).toMatchObject({ ergodic: true });
  });

  it("annealed importance sampling claims nothing if ergodicity is unknown or no run ended above 0", async () => {
    const algorithm = annealedImportanceSampling({ particles: 100, temperatures: 20 });
    const pairs = Array.from({ length: 15 }, (_, i) => ({ scope: [i + 1, i + 2], values: [1, 2, 2, 1] }));
    const colours = graphOf(
      [3, ...Array<number>(15).fill(2), 3],
      [
        ...pairs.slice(0, 14),
        { scope: [0, 16], values: [0, 1, 1, 1, 0, 1, 1, 1, 0] },
        { scope: [15, 16], values: [1, 2, 3, 1, 1, 1] },
      ],
    );
    const { logZCertificate } = await infer(colours, { task: "partition", algorithm });
    expect(logZCertificate).toEqual({ none: "factors have zeros, and whether every possible state can be reached is unknown" });
    const hardCore = graphOf(
      Array(100).fill(2),
      gridEdges(10, 10).map((scope) => ({ scope: [...scope], values: [1, 1, 1, 0] })),
    );
    const none = await infer(hardCore, { task: "partition", algorithm });
    expect(none.logZCertificate).toEqual({ none: "every run ended in zeros" });
  });

  it("annealed importance sampling claims nothing if single changes do not reach all states", async () => {
    const equal = [1, 0, 0, 1];
    const graph = graphOf(Array(4).fill(2), [
      { scope: [0, 1], values: equal },
      { scope: [1, 2], values: equal },
      { scope: [2, 3], values: equal },
      { scope: [0], values: [1, 50] },
    ]);
    const { logZCertificate } = await infer(graph, { task: "partition", algorithm: annealedImportanceSampling() });
    expect(logZCertificate).toEqual({ none: "the possible states form 2 islands, which changes of one variable do not leave" });
  });
});
