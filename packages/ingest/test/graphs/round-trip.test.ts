/**
 * 100 random graphs written as UAI and JSON: the same graph, or the same distribution if the format contains only
 * tables.
 */

import { factorGraph, infer, MemoryLimitError } from "ergodic";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { graphFrom, graphPlans } from "../../../ergodic/test/reference/random-factor-graph.ts";
import {
  readBif,
  readDimmWitted,
  readGraphJson,
  readUai,
  writeBif,
  writeDimmWitted,
  writeGraphJson,
  writeUai,
  writeUaiEvidence,
} from "../../src/graphs/index.ts";

const plans = graphPlans({ most: 5, widest: 5 });

it("UAI preserves the distribution, including evidence", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const graph = graphFrom(plan);
      const again = await readUai({ content: writeUai(graph) }, { evidence: { content: writeUaiEvidence(graph) } });
      const wanted = (await infer(graph, { task: "partition" })).logZ;
      const { logZ } = await infer(again, { task: "partition" });
      if (wanted === -Infinity) expect(logZ).toBe(wanted);
      else expect(Math.abs(logZ - wanted)).toBeLessThan(1e-12 * Math.max(1, Math.abs(wanted)));
      expect(writeUai(again)).toBe(writeUai(await readUai({ content: writeUai(again) })));
    }),
    { numRuns: 100, seed: 17 },
  );
});

it("JSON preserves the whole graph", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const graph = graphFrom(plan);
      const again = await readGraphJson({ content: writeGraphJson(graph) });
      expect(JSON.stringify(again)).toBe(JSON.stringify(graph));
    }),
    { numRuns: 100, seed: 18 },
  );
});

it("JSON of another kind is refused with the file's name", async () => {
  const read = (content: string) => readGraphJson({ content, name: "g.json" });
  await expect(read("{")).rejects.toThrow(/^g\.json: the text is not JSON .* \[DATA_PARSE\]$/);
  await expect(read("{}")).rejects.toThrow(/^g\.json: format is undefined, but must be "ergodic factor graph".* \[DATA_PARSE\]$/);
  const graph = factorGraph();
  graph.variable("a");
  const damaged = writeGraphJson(graph).replace('"name"', '"states":0,"name"');
  await expect(read(damaged)).rejects.toThrow(/^g\.json: variables\[0\]: its states are 0/);
  await expect(read(writeGraphJson(graph).replace('"name"', '"namee"'))).rejects.toThrow(
    'g.json: variables[0]: it has the key "namee"; did you mean "name"? (besides name it can have states, truthiness, initial)',
  );
  graph.isTrue("a", { weight: 2 });
  const slips = [
    ['"weight": 0', '"weightt": 0', 'factors[0]: it has the key "weightt"; did you mean "weight"?'],
    ['"isTrue"', '"oneOf": ["a"], "isTrue"', 'factors[0]: it has the key "isTrue" (besides oneOf it can have no other)'],
    ['"version"', '"__proto__": {}, "version"', 'it has the key "__proto__"'],
  ];
  for (const [from, to, message] of slips) {
    const text = JSON.stringify(graph, undefined, 1);
    expect(text).toContain(from);
    await expect(read(text.replace(from, to))).rejects.toThrow(`g.json: ${message}`);
  }
});

it("insufficient memory for a graph is not reported as a fault of its file", async () => {
  const graph = factorGraph();
  graph.variable("a", ["x", "y"]);
  graph.table(["a"], [0.5, 0.5]);
  const [bif, json, uai] = [writeBif(graph), writeGraphJson(graph), writeUai(graph)];
  const logical = factorGraph();
  logical.variable("b");
  logical.isTrue("b", { weight: 2 });
  const files = writeDimmWitted(logical) as Record<string, Uint8Array>;
  const part = (name: string) => ({ content: files[`graph.${name}`] });
  const dimmWitted = { weights: part("weights"), variables: part("variables"), factors: part("factors") };
  const full = new MemoryLimitError("factorGraph", "there is no room", "MEMORY_LIMIT");
  const methods = Object.getPrototypeOf(graph) as Record<"variable" | "addFactor", () => void>;
  const reading = {
    variable: [() => readBif({ content: bif }), () => readGraphJson({ content: json }), () => readUai({ content: uai })],
    addFactor: [() => readDimmWitted(dimmWitted)],
  };
  for (const method of ["variable", "addFactor"] as const) {
    for (const read of reading[method]) {
      expect((await read()).variableCount).toBe(1);
      const spy = vi.spyOn(methods, method).mockImplementation(() => {
        throw full;
      });
      await expect(read().finally(() => spy.mockRestore())).rejects.toBe(full);
    }
  }
});
