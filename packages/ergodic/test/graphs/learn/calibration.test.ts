/** Calibration of probabilities for the labels that learning held out. */
import { expect, it } from "vitest";
import { factorGraph, fit, infer, is, pseudoLikelihood } from "../../../src/entries/everything.ts";

/** Coins of two kinds, and dice with three states, all of them observed. */
function world(count: number) {
  const graph = factorGraph();
  const coins = [0, 1].map((kind) => graph.weight(`coins of kind ${kind}`));
  const sides = (["low", "high"] as const).map((side) => [side, graph.weight(side)] as const);
  for (let i = 0; i < count; i++) {
    graph.variable(`coin ${i}`);
    graph.all([`coin ${i}`], { weight: coins[i % 2] });
    graph.observe(`coin ${i}`, i % 10 < (i % 2 === 0 ? 3 : 9));
    graph.variable(`die ${i}`, ["low", "middle", "high"]);
    for (const [side, weight] of sides) graph.all([is(`die ${i}`, side)], { weight });
    graph.observe(`die ${i}`, ["low", "low", "middle", "high", "low"][i % 5]);
  }
  return graph;
}

it("measures calibration by the labels that were held out when learning began", async () => {
  const graph = world(300);
  const learning = fit(graph, { algorithm: pseudoLikelihood(), heldOut: 0.4, seed: 2 });
  const learned = await learning;
  graph.observe("coin 0", true);
  const answer = await infer(learned.graph);
  const statements = learned.heldOut.flatMap(({ variable, state }) => {
    const { p } = answer.marginal(variable);
    return p.length === 2 ? [[p[1], state]] : p.map((one, s) => [one, s === state ? 1 : 0]);
  });
  expect(statements.length).toBeGreaterThan(350);
  const one = learned.calibration(answer, { bins: 1 });
  expect(one.count).toBe(statements.length);
  const off = statements.reduce((sum, [p, truth]) => sum + p - truth, 0) / statements.length;
  expect(one.error).toBeCloseTo(Math.abs(off), 12);
  const ten = learned.calibration(answer);
  expect(ten.bins).toHaveLength(10);
  expect(ten.bins.reduce((sum, { count }) => sum + count, 0)).toBe(statements.length);
  expect(ten.bins.filter(({ count }) => count > 0).length).toBeGreaterThan(3);
  // A few hundred statements in five bins, as correct as learning from 360 variables allows.
  expect(ten.error).toBeLessThan(0.1);
  // Other weights are not calibrated.
  const naive = await infer(learned.graph.withWeights(learned.weights.map(() => 2)));
  expect(learned.calibration(naive).error).toBeGreaterThan(0.12);
});

it("refuses calibration without held-out labels or bins", async () => {
  const learned = await fit(world(10), { algorithm: pseudoLikelihood(), epochs: 5 });
  const answer = await infer(learned.graph);
  expect(() => learned.calibration(answer)).toThrow(/nothing was held out.*give fit heldOut: 0\.2 \[OPTION_CONFLICT\]/);
  const shown = await fit(world(10), { algorithm: pseudoLikelihood(), epochs: 5, heldOut: 0.5 });
  expect(() => shown.calibration(answer, { bins: 0 })).toThrow(/bins.*\[OPTION_RANGE\]/);
});
