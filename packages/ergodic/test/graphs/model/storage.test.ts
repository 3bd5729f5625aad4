/**
 * Graphs with many variables: bytes per edge, counted by the graph and checked against the process, and the limit of
 * one memory.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { factorGraph, MemoryLimitError } from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";

const VARIABLES = power(100_000, 500_000);

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes of arrays in use. Free memory is released in the background. */
async function held(): Promise<number> {
  for (let before = Number.NaN; ; ) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers === before) return before;
    before = arrayBuffers;
  }
}

describe("storage", () => {
  it("needs at most 24 bytes per edge for Booleans with ten unary features each", () => {
    const graph = factorGraph();
    const count = power(30_000, 500_000);
    for (let v = 0; v < count; v++) graph.variable();
    for (let k = 0; k < 1000; k++) graph.weight();
    const state = [1];
    const variable = [0];
    for (let v = 0; v < count; v++) {
      variable[0] = v;
      for (let k = 0; k < 10; k++) graph.addFactor("isTrue", variable, state, (v * 7 + k * 131) % 1000, 0.5 + k);
    }
    expect(graph.edgeCount).toBe(10 * count);
    expect(graph.byteLength / graph.edgeCount).toBeLessThan(24);
    expect(graph.byteLength / graph.edgeCount).toBeGreaterThan(8);
    expect(graph.factorAt(10 * count - 1)).toEqual({
      kind: "isTrue",
      variables: [count - 1],
      states: [1],
      weight: ((count - 1) * 7 + 9 * 131) % 1000,
      feature: 9.5,
    });
  });

  it("needs at most 24 bytes per edge with four equal-factors and a feature per variable, for the whole process too", async () => {
    const before = await held();
    const graph = factorGraph();
    for (let v = 0; v < VARIABLES; v++) graph.variable();
    for (let v = 0; v < VARIABLES; v++) graph.weight();
    for (let v = 0; v < VARIABLES; v++) {
      graph.addFactor("isTrue", [v], [0], v, 1.5);
      for (let k = 1; k <= 4; k++) graph.addFactor("equal", [v, (v + k * 7919) % VARIABLES], [1, 1], v);
    }
    const bytes = (await held()) - before;
    expect(graph.edgeCount).toBe(9 * VARIABLES);
    expect(graph.byteLength / graph.edgeCount).toBeLessThan(24);
    expect(bytes / graph.byteLength).toBeGreaterThan(0.99);
    expect(bytes / graph.byteLength).toBeLessThan(1.01);
  });

  it("builds the same graph from given sizes, in arrays without spare room", () => {
    const fill = (graph: ReturnType<typeof factorGraph>) => {
      for (let v = 0; v < 1000; v++) graph.variable();
      for (let v = 0; v < 1000; v++) graph.weight();
      for (let v = 0; v < 1000; v++) graph.addFactor("equal", [v, (v + 1) % 1000], [1, 0], v, v / 2);
      return graph;
    };
    const [planned, other] = [fill(factorGraph().plan(1000, 2000)), fill(factorGraph())];
    expect(planned.toJSON()).toEqual(other.toJSON());
    expect(planned.byteLength).toBeLessThan(other.byteLength);
    expect(() => planned.plan(-1, 0)).toThrow(/factorGraph.plan: factors is -1, but must be an integer >= 0/);
  });

  it("reports how many edges fit when memory runs out, and survives", () => {
    const graph = factorGraph({ memory: 2 ** -14 });
    graph.variable();
    graph.weight();
    const fill = (): void => {
      for (;;) graph.addFactor("isTrue", [0], [1], 0, 0.5);
    };
    expect(fill).toThrow(MemoryLimitError);
    expect(fill).toThrow(/more than 64 KiB, .* [34],\d{3} edges like these fit/);
    expect(graph.byteLength).toBeLessThanOrEqual(2 ** 16);
    const last = graph.factorCount - 1;
    expect(graph.factorAt(last)).toMatchObject({ kind: "isTrue", variables: [0], states: [1], feature: 0.5 });
    expect(graph.edgeCount).toBe(graph.factorCount);
    expect(graph.withEvidence({ x0: true }).observedState(0)).toBe(1);
  });
});
