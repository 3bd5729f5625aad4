/**
 * Rule state besides the moments of parameters, which a checkpoint passes on too: numbers of the rule, and the rate of
 * a line search.
 */
import { expect, it } from "vitest";
import {
  adam,
  Dataset,
  fit,
  linear,
  prodigy,
  scheduleFreeAdam,
  spsMax,
  stochasticLineSearch,
} from "../../../src/entries/everything.ts";

const x = Array.from({ length: 200 }, (_, i) => [Math.sin(i), Math.cos(3 * i), Math.sin(7 * i + 1)]);
const y = x.map(([a, b, c]) => 2 * a - 3 * b + c * c + 0.5);
const data = Dataset.fromArrays({ x, y });

it.each([
  ["prodigy", prodigy()],
  ["schedule-free Adam", scheduleFreeAdam({ rate: 0.05 })],
  ["SPS max", spsMax()],
  ["a line search", stochasticLineSearch()],
] as const)("%s: equals two epochs after one epoch and one more, bit for bit", async (_, rule) => {
  const given = { rule, schedule: "ordered", batch: 10, seed: 1 } as const;
  const model = linear({ loss: "squared" });
  const two = await fit(model, data, { ...given, epochs: 2 });
  const run = fit(model, data, { ...given, epochs: 1 });
  await run;
  const from = await run.checkpoint();
  const kept = await fit(model, data, { ...given, epochs: 1, from, optimiser: "kept" });
  expect([...kept.weights, ...kept.intercept]).toEqual([...two.weights, ...two.intercept]);
  const fresh = await fit(model, data, { ...given, epochs: 1, from });
  expect([...fresh.weights]).not.toEqual([...two.weights]);
});

it("replicas start from the optimiser state of an earlier single lane", async () => {
  const given = { rule: adam({ rate: 0.01 }), schedule: "ordered", batch: 10, seed: 1 } as const;
  const model = linear({ loss: "squared" });
  const run = fit(model, data, { ...given, epochs: 1 });
  await run;
  const next = { ...given, epochs: 1, replicas: 2, workers: 1, from: await run.checkpoint() } as const;
  const kept = await fit(model, data, { ...next, optimiser: "kept" });
  expect([...kept.weights]).not.toEqual([...(await fit(model, data, next)).weights]);
});
