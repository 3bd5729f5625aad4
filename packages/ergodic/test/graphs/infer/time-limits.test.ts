/** Time limits of `infer`, where the work of a stretch changes as a run goes. */
import { expect, it } from "vitest";
import { type InferenceAlgorithm, infer } from "../../../src/entries/everything.ts";
import { graphOf } from "../../reference/random-graph.ts";

/** Stretches of next to no time, so that the loop asks for ever more at once; then of 20 ms each, without an end. */
function slowing(quick: number): InferenceAlgorithm {
  let advanced = 0;
  return {
    name: "slowing",
    verb: "infer",
    tasks: ["partition"],
    toJSON: () => ({ algorithm: "slowing" }),
    start: () => ({
      ended: false,
      async advance() {
        if (++advanced <= quick) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      },
      answer: () => ({ method: "none", logZ: { value: advanced, certificate: { none: "a test" } } }),
      report: () => ({}),
      snapshot: () => ({ tensors: {}, state: {} }),
      restore() {},
      dispose() {},
    }),
  };
}

it("ends in time, also where stretches are suddenly long after thousands of short ones", async () => {
  const graph = graphOf([2, 2], [{ scope: [0, 1], values: [1, 2, 3, 4] }]);
  const start = performance.now();
  const { description } = await infer(graph, { task: "partition", algorithm: slowing(20_000), until: { seconds: 0.5 } });
  expect((description as { run: { updates: number } }).run.updates).toBeGreaterThan(20_000);
  // It was minutes when a call of the loop made all the stretches that it had asked for.
  expect(performance.now() - start).toBeLessThan(3000);
});

it("counts the time in which a graph's tables are made, as far as there is some left", async () => {
  const tables = graphOf([2, 2], [{ scope: [0, 1], values: [1, 2, 3, 4] }]);
  const graphThatTakes = (seconds: number) => ({
    factorTables: () => tables,
    *tabling() {
      for (const start = performance.now(); performance.now() - start < 1000 * seconds; ) yield;
      return tables;
    },
  });
  const limits = { task: "partition", until: { seconds: 1 } } as const;
  const rest = await infer(graphThatTakes(0.7), { ...limits, algorithm: slowing(0) });
  const { seconds, reason } = (rest.toJSON().description as { run: { seconds: number; reason: string } }).run;
  expect(reason).toBe("time is up");
  expect(seconds).toBeLessThan(0.7);
  // One stretch there always is, so that what takes no longer has its own answer.
  const one = await infer(graphThatTakes(1.1), { ...limits, algorithm: slowing(0) });
  expect(one.description).toMatchObject({ run: { updates: 1 } });
});
