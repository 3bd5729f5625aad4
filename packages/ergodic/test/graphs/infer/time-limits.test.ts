/** Time limits of `infer` if the cost of a stretch changes during a run. */
import { beforeEach, expect, it, vi } from "vitest";
import { type InferenceAlgorithm, infer } from "../../../src/entries/everything.ts";
import { graphOf } from "../../reference/random-graph.ts";

/** The clock that the loop reads, in milliseconds. Only the work of a test advances it. */
let clock: number;

beforeEach(() => {
  clock = 1000;
  const reading = vi.spyOn(performance, "now").mockImplementation(() => clock);
  return () => reading.mockRestore();
});

/**
 * Stretches of almost no time, so that the loop requests more and more at a time, and then stretches of 20 ms without
 * end.
 */
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
        clock += ++advanced <= quick ? 0.001 : 20;
      },
      answer: () => ({ method: "none", logZ: { value: advanced, certificate: { none: "a test" } } }),
      report: () => ({}),
      snapshot: () => ({ tensors: {}, state: {} }),
      restore() {},
      dispose() {},
    }),
  };
}

it("ends in time, even if stretches suddenly become long after thousands of short ones", async () => {
  const graph = graphOf([2, 2], [{ scope: [0, 1], values: [1, 2, 3, 4] }]);
  const start = clock;
  const { description } = await infer(graph, { task: "partition", algorithm: slowing(20_000), until: { seconds: 0.5 } });
  expect((description as { run: { updates: number } }).run.updates).toBeGreaterThan(20_000);
  // This took minutes when one call of the loop made all the stretches that it had requested.
  expect(clock - start).toBeGreaterThanOrEqual(500);
  expect(clock - start).toBeLessThan(540);
});

it("counts the time to build a graph's tables towards the limit, and leaves the rest for inference", async () => {
  const tables = graphOf([2, 2], [{ scope: [0, 1], values: [1, 2, 3, 4] }]);
  const graphThatTakes = (seconds: number) => ({
    factorTables: () => tables,
    *tabling() {
      for (const end = clock + 1000 * seconds; clock < end; clock += 10) yield;
      return tables;
    },
  });
  const limits = { task: "partition", until: { seconds: 1 } } as const;
  const rest = await infer(graphThatTakes(0.7), { ...limits, algorithm: slowing(0) });
  const { seconds, reason } = (rest.toJSON().description as { run: { seconds: number; reason: string } }).run;
  expect(reason).toBe("time is up");
  expect(seconds).toBeGreaterThanOrEqual(0.28);
  expect(seconds).toBeLessThan(0.34);
  // At least one stretch always runs, so an algorithm that needs only one has its own answer.
  const one = await infer(graphThatTakes(1.1), { ...limits, algorithm: slowing(0) });
  expect(one.description).toMatchObject({ run: { updates: 1 } });
});
