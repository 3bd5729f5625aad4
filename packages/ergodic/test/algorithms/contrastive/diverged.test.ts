/** Weights that grow without bound: the run says that it diverged, whatever computes its gradient. */
import { expect, it } from "vitest";
import { contrastiveDivergence, exactLikelihood, factorGraph, fit, pseudoLikelihood, sgd } from "../../../src/index.ts";

const graph = factorGraph();
for (const name of ["own", "pair"]) graph.weight(name, 0.3);
for (let i = 0; i < 8; i++) graph.variable();
for (let i = 0; i < 8; i++) {
  graph.isTrue(i, { weight: "own", feature: 1.5 });
  graph.equal([i, (i + 1) % 8], { weight: "pair" });
}
for (let i = 0; i < 8; i += 2) graph.observe(i, i % 4 === 0);

it.each([exactLikelihood, pseudoLikelihood, contrastiveDivergence])("%o", async (algorithm) => {
  const run = (rate: number) => fit(graph, { algorithm: algorithm(), rule: sgd({ rate }), epochs: 20, seed: 1 });
  await expect(run(1e308)).rejects.toMatchObject({ code: "RUN_DIVERGED" });
  // Beyond e^709 weights are large and no more.
  expect((await run(1e3)).weights.every(Number.isFinite)).toBe(true);
});
