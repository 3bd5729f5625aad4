/**
 * Preparation of inference on large graphs. Tables, trees and logarithms are built with pauses, in which other tasks
 * run and the signal is checked.
 */
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { factorGraph, graphGibbs, infer } from "../../../src/entries/everything.ts";
import { junctionTree, junctionTrees } from "../../../src/graphs/exact/junction-tree.ts";
import { exactOr } from "../../../src/graphs/infer/automatic.ts";
import { factsOf, gathering } from "../../../src/graphs/infer/facts.ts";
import { inferenceRegistry } from "../../../src/graphs/infer/registry.ts";
import type { InferenceAlgorithm } from "../../../src/graphs/parts/algorithm.ts";
import { eliminationOrders } from "../../../src/graphs/parts/elimination-orders.ts";
import { LogTables } from "../../../src/graphs/parts/log-tables.ts";
import { reduce, reducing } from "../../../src/graphs/parts/reduction.ts";
import { followed } from "../../reference/followed.ts";
import { graphOf } from "../../reference/random-graph.ts";

const COUNT = 6000;

function chain(count = COUNT) {
  const graph = factorGraph();
  for (let v = 0; v <= count; v++) graph.variable();
  for (let v = 0; v < count; v++) graph.equal([v, v + 1], { weight: 0.1 + (v % 7) / 10 });
  return graph;
}

describe("pauses before inference", () => {
  const tables = chain().factorTables("marginals");

  it("builds and compares the tables of a graph with a pause about every thousand factors", () => {
    const made = followed(chain().tabling("marginals"));
    expect(made.pauses).toBeGreaterThanOrEqual(5);
    expect(made.pauses).toBeLessThan(12);
    expect(made.value.factors).toEqual(tables.factors);
    const gathered = followed(gathering(tables));
    expect(gathered.pauses).toBeGreaterThanOrEqual(5);
    expect(gathered.pauses).toBeLessThan(12);
    expect(gathered.value).toEqual(factsOf(tables));
  });

  it("builds factors in columns with pauses, for samplers of whole graphs", async () => {
    const graph = chain();
    const made = followed(graph.columning());
    expect(made.pauses).toBeGreaterThanOrEqual(1);
    expect(made.value.ends).toEqual(graph.conditionals().ends);
    const asked: string[] = [];
    const offering = {
      variableCount: COUNT + 1,
      factorTables: () => tables,
      conditionals: () => graph.conditionals(),
      *columning() {
        asked.push("columning");
        return yield* graph.columning();
      },
    };
    const algorithm = graphGibbs({ sweeps: 100, warmup: 0 });
    const found = await infer(offering, { algorithm });
    expect(asked).toEqual(["columning"]);
    const { columning, ...plain } = offering;
    expect((await infer(plain, { algorithm })).marginal("x3").p).toEqual(found.marginal("x3").p);
    expect(asked).toEqual(["columning"]);
  });

  it("pauses for wide tables as often as for many tables", () => {
    const wide = factorGraph();
    for (let v = 0; v < 20; v++) wide.variable(undefined, 16);
    for (let v = 0; v + 3 < 20; v++) wide.table([v, v + 1, v + 2, v + 3], new Float64Array(65_536).fill(1));
    // There are 17 tables of 65,536 entries.
    expect(followed(wide.tabling("marginals")).pauses).toBeGreaterThanOrEqual(8);
    expect(followed(gathering(wide.factorTables("marginals"))).pauses).toBeGreaterThanOrEqual(8);
  });

  it("reduces the graph with a pause about every thousand factors, to the same result", () => {
    const factors = Array.from({ length: COUNT }, (_, i) => ({ scope: [i, i + 1], values: [1, 0, 0.5, 2] }));
    const graph = graphOf(new Array(COUNT + 1).fill(2), factors, { 17: 1 });
    const { pauses, value } = followed(reducing(graph));
    // Tables are read, propagated, restricted, joined and absorbed. Each pass pauses about six times, and fewer times
    // once zeros have decided variables.
    expect(pauses).toBeGreaterThan(15);
    expect(pauses).toBeLessThan(60);
    expect(value).toEqual(reduce(graph));
  });

  it("computes the logarithms of a part once, with pauses, for all algorithms that prepare them", () => {
    const [part] = reduce(tables).components;
    const { pauses, value } = followed(LogTables.making(part));
    expect(pauses).toBeGreaterThanOrEqual(5);
    expect(followed(LogTables.making(part))).toEqual({ pauses: 0, value });
    expect(LogTables.of(part)).toBe(value);
    expect(LogTables.of({ ...part })).not.toBe(value);
    const prepared = Object.entries(inferenceRegistry).flatMap(([name, made]) => (made({}).prepare ? [name] : []));
    // All algorithms except those that can do without: exact elimination, and the automatic choice, which prepares the
    // chosen algorithm.
    expect(prepared).toEqual(Object.keys(inferenceRegistry).filter((name) => name !== "automatic" && name !== "elimination"));
    for (const name of prepared) {
      const own = { ...part };
      const made = followed(inferenceRegistry[name]({}).prepare!(own));
      expect([name, made.pauses >= 5, made.value === LogTables.of(own)]).toEqual([name, true, true]);
    }
  });

  it("prepares an algorithm before its start, and skips this if the choice is exact", async () => {
    const told: string[] = [];
    const other: InferenceAlgorithm = {
      ...inferenceRegistry.loopyBeliefPropagation({}),
      *prepare() {
        told.push("prepares");
        yield;
      },
      start(part, plan, engine) {
        told.push("starts");
        return inferenceRegistry.loopyBeliefPropagation({}).start(part, plan, engine);
      },
    };
    await infer(chain(20), { algorithm: other });
    expect(told.splice(0)).toEqual(["prepares", "starts"]);
    await infer(chain(20), { algorithm: exactOr(other) });
    expect(told).toEqual([]);
    // All pairs of 60 Booleans. No order makes this graph narrow.
    const wide = factorGraph();
    for (let v = 0; v < 60; v++) wide.variable();
    for (let v = 0; v < 60; v++) for (let w = v + 1; w < 60; w++) wide.equal([v, w], { weight: 0.01 });
    await infer(wide, { algorithm: exactOr(other), until: { seconds: 60 } });
    expect(told).toEqual(["prepares", "starts"]);
  });

  it("builds trees of bad orders with pauses", () => {
    const side = 40;
    const at = (row: number, column: number): number => row * side + column;
    const scopes: number[][] = [];
    for (let r = 0; r < side; r++)
      for (let c = 0; c < side; c++) {
        if (c + 1 < side) scopes.push([at(r, c), at(r, c + 1)]);
        if (r + 1 < side) scopes.push([at(r, c), at(r + 1, c)]);
      }
    const draws = stream(1, "an order").at(0);
    const order = Array.from({ length: side * side }, (_, v) => v);
    for (let i = order.length - 1; i > 0; i--) {
      const j = draws.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const { pauses, value } = followed(junctionTrees(order, scopes));
    const members = value.reduce((sum, { axes }) => sum + axes.length, 0);
    expect(members).toBeGreaterThan(20_000);
    // About one pause per 8,000 sorted members. All members are sorted when they are gathered, and those of the
    // remaining cliques once more.
    expect(pauses).toBeGreaterThan(members / 5000);
    expect(value).toEqual(junctionTree(order, scopes));
  });

  it("eliminates variables with few neighbours with pauses", () => {
    const scopes = Array.from({ length: COUNT }, (_, v) => [v, v + 1]);
    const { pauses, value } = followed(eliminationOrders(new Array(COUNT + 1).fill(2), scopes));
    expect(pauses).toBeGreaterThanOrEqual(10);
    expect(value.order.length).toBe(COUNT + 1);
  });

  it("responds to a signal in the next pause", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    let wentOn = false;
    const graph = {
      factorTables: () => tables,
      *tabling() {
        yield;
        controller.abort(reason);
        yield;
        wentOn = true;
        return tables;
      },
    };
    await expect(infer(graph, { signal: controller.signal })).rejects.toBe(reason);
    expect(wentOn).toBe(false);
  });

  it("disposes of started parts if the signal aborts or another part cannot start", async () => {
    const count = 3000;
    const pairs = factorGraph();
    for (let v = 0; v < 2 * count; v++) pairs.variable();
    for (let v = 0; v < 2 * count; v += 2) pairs.equal([v, v + 1], { weight: 1 });
    const given = pairs.factorTables("partition");
    const begin = async (at: number, what: () => void) => {
      let [started, disposed] = [0, 0];
      const algorithm: InferenceAlgorithm = {
        ...inferenceRegistry.loopyBeliefPropagation({}),
        start(part, plan, engine) {
          if (++started === at) what();
          const begun = inferenceRegistry.loopyBeliefPropagation({}).start(part, plan, engine);
          return Object.assign(begun, { dispose: () => disposed++ });
        },
      };
      const failed = await infer(given, { task: "partition", algorithm, signal: controller.signal }).catch((error) => error);
      return { failed, started, disposed };
    };
    const reason = new Error("enough");
    const controller = new AbortController();
    const refused = new RangeError("too wide");
    const broken = await begin(2500, () => {
      throw refused;
    });
    expect(broken).toEqual({ failed: refused, started: 2500, disposed: 2499 });
    const aborted = await begin(1500, () => controller.abort(reason));
    expect(aborted.failed).toBe(reason);
    expect(aborted.started).toBeGreaterThanOrEqual(1500);
    expect(aborted.started).toBeLessThan(count);
    expect(aborted.disposed).toBe(aborted.started);
  });

  it("gets the same answer for a graph that cannot pause", async () => {
    const small = chain(30);
    const plain = { factorTables: () => small.factorTables("marginals") };
    const [a, b] = [await infer(small), await infer(plain)];
    expect(b.marginal("x3").p).toEqual(a.marginal("x3").p);
  });
});
