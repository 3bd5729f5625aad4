/** Searches for the most probable state, compared with elimination. */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { elimination, graphAnnealing, infer, iteratedConditionalModes } from "../../../src/entries/everything.ts";
import { Inference } from "../../../src/graphs/infer/inference.ts";
import { power } from "../../power.ts";
import { logProductAt } from "../../reference/enumerate-graph.ts";
import { graphOf, gridEdges, pairwiseGraph } from "../../reference/random-graph.ts";

const count = power(8, 20);
const graphs = Array.from({ length: count }, (_, seed) => {
  const draws = stream(seed, "modes").at(0);
  return pairwiseGraph(64, gridEdges(8, 8), 1, () => draws.normal());
});

it("each restart begins elsewhere, and the best result counts", async () => {
  for (const made of [iteratedConditionalModes, graphAnnealing] as const) {
    const options = made === graphAnnealing ? { sweeps: 2 } : {};
    let better = 0;
    for (const graph of graphs) {
      const [few, many] = [
        await infer(graph, { task: "map", algorithm: made({ ...options, restarts: 1 }) }),
        await infer(graph, { task: "map", algorithm: made({ ...options, restarts: 20 }) }),
      ];
      expect(many.best.value).toBeGreaterThanOrEqual(few.best.value - 1e-9);
      if (many.best.value > few.best.value + 1e-6) better++;
    }
    expect(better).toBeGreaterThan(count / 2);
  }
});

it.each([
  ["climbs from many states", iteratedConditionalModes({ restarts: 20 })],
  ["a walk that ends as hot as it began", graphAnnealing({ sweeps: 200, from: 4, to: 4, restarts: 1 })],
])("the best states have the best value: %s", async (_, algorithm) => {
  for (const graph of graphs.slice(0, 5)) {
    const { best } = await infer(graph, { task: "map", algorithm });
    expect(best.value).toBeCloseTo(logProductAt(graph, best.states), 9);
  }
});

it("refuses temperatures that do not fall", () => {
  expect(() => graphAnnealing({ from: 0.5, to: 2 })).toThrow(/from is 0.5 and to is 2, but temperatures must fall/);
});

it("annealing resumes from a checkpoint in the middle with the same result", async () => {
  const engine = await openEngine({ families: ["graphs"] });
  const draws = stream(1, "kept").at(0);
  const wide = pairwiseGraph(400, gridEdges(20, 20), 1.5, () => draws.normal());
  const plan = { task: "map", seed: 2, workers: 1, memory: 2 ** 28 } as const;
  const begin = () => Inference.open(wide, graphAnnealing({ sweeps: 60, restarts: 1 }), plan, engine);
  const [whole, first, second] = [await begin(), await begin(), await begin()];
  while (!whole.converged) await whole.advance(1);
  while (!((first.report().sweeps ?? 0) > 20)) await first.advance(1);
  expect(first.report().sweeps).toBeLessThan(60);
  second.restore(first.snapshot());
  while (!second.converged) await second.advance(1);
  expect(second.found()).toEqual(whole.found());
});

describe.each([
  ["iteratedConditionalModes", iteratedConditionalModes(), 0],
  ["graphAnnealing", graphAnnealing(), 0.75],
] as const)("%s", (name, algorithm, leastShare) => {
  it("comes close to the optimum of grids of 64 Booleans, and never exceeds it or its bound", async () => {
    let optimal = 0;
    let worst = 0;
    for (const graph of graphs) {
      const [exact, found] = [
        await infer(graph, { task: "map", algorithm: elimination() }),
        await infer(graph, { task: "map", algorithm }),
      ];
      const below = exact.best.value - found.best.value;
      expect(below).toBeGreaterThan(-1e-9);
      expect(found.best.bound).toBeGreaterThanOrEqual(exact.best.value - 1e-9);
      expect(found.gap).toBeLessThan(20);
      if (below < 1e-9) optimal++;
      worst = Math.max(worst, below);
    }
    console.log(`${name}: ${optimal} of ${count} optimal, the worst ${worst.toFixed(3)} nats below`);
    expect(optimal).toBeGreaterThanOrEqual(leastShare * count);
    expect(worst).toBeLessThan(5);
  });

  it("begins at a state of nonzero weight: colours of a cycle with chords", async () => {
    const different = [0, 1, 1, 1, 0, 1, 1, 1, 0];
    const edges = Array.from({ length: 30 }, (_, i) => [
      [i, (i + 1) % 30],
      [i, (i + 7) % 30],
    ]).flat();
    const likes = Array.from({ length: 30 }, (_, i) => ({ scope: [i], values: [1 + (i % 3), 2, 1.5] }));
    const graph = graphOf(Array(30).fill(3), [...edges.map((scope) => ({ scope, values: different })), ...likes]);
    const { best } = await infer(graph, { task: "map", algorithm });
    expect(best.value).toBeGreaterThan(0);
    for (const [a, b] of edges) expect(best.states[a]).not.toBe(best.states[b]);
  });

  it("reports a graph without a possible state: three Booleans that must all differ", async () => {
    const different = [0, 1, 1, 0];
    const edges = [
      [0, 1],
      [1, 2],
      [0, 2],
    ];
    const run = infer(
      graphOf(
        [2, 2, 2],
        edges.map((scope) => ({ scope, values: different })),
      ),
      { task: "map", algorithm },
    );
    await expect(run).rejects.toThrow("[GRAPH_IMPOSSIBLE]");
  });
});
