/** Exact inference compared with enumeration of every joint state. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { elimination, factorGraph, graphAnnealing, graphGibbs, infer } from "../../../src/entries/everything.ts";
import { junctionTree } from "../../../src/graphs/exact/junction-tree.ts";
import { type PassKind, type TreeAnswer, TreePass } from "../../../src/graphs/exact/tree-pass.ts";
import { eliminationOrder } from "../../../src/graphs/parts/elimination-orders.ts";
import { tableOf } from "../../../src/graphs/parts/factor-table.ts";
import { type Component, reduce } from "../../../src/graphs/parts/reduction.ts";
import { power } from "../../power.ts";
import { enumerateGraph, logProductAt } from "../../reference/enumerate-graph.ts";
import { graphOf, randomGraphs } from "../../reference/random-graph.ts";

describe("elimination", () => {
  it("equals enumeration on random graphs", async () => {
    await fc.assert(
      fc.asyncProperty(randomGraphs, async (graph) => {
        const truth = enumerateGraph(graph);
        fc.pre(Number.isFinite(truth.logZ) || truth.logZ === -Infinity);
        const { logZ, certificate } = await infer(graph, { task: "partition", algorithm: elimination() });
        expect(certificate).toEqual({ exact: true });
        if (truth.logZ === -Infinity) {
          // Only the twin rounds values below the range of float64 to 0.
          expect(logZ).toBeLessThan(-700);
          return;
        }
        expect(Math.abs(logZ - truth.logZ)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logZ)));
        const marginals = await infer(graph, { algorithm: elimination() });
        truth.marginals.forEach((p, variable) => {
          const found = marginals.marginal(variable).p;
          p.forEach((value, state) => {
            expect(Math.abs(found[state] - value)).toBeLessThan(1e-12);
          });
        });
        const { best, gap } = await infer(graph, { task: "map", algorithm: elimination() });
        expect(gap).toBe(0);
        expect(Math.abs(best.value - truth.logLargest)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logLargest)));
        expect(Math.abs(logProductAt(graph, best.states) - truth.logLargest)).toBeLessThan(1e-9);
      }),
      { numRuns: power(120, 500), seed: 14 },
    );
  });

  it("gets the same answer from unmerged cliques on random graphs", async () => {
    const engine = await openEngine({ families: ["graphs"] });
    const used = engine.memory.usedBytes;
    const found = async (part: Component, task: PassKind): Promise<TreeAnswer> => {
      const scopes = part.tables.map(({ scope }) => scope);
      const cliques = junctionTree(eliminationOrder(part.cardinalities, scopes).order, scopes);
      const pass = new TreePass(cliques, part, task, engine, { careful: true });
      for await (const _ of pass.work());
      pass.dispose();
      expect(pass.lost).toBe(false);
      return pass.answer;
    };
    await fc.assert(
      fc.asyncProperty(randomGraphs, async (graph) => {
        const truth = enumerateGraph(graph);
        fc.pre(Number.isFinite(truth.logZ));
        const { components, scale } = reduce(graph);
        let [logZ, largest] = [scale, scale];
        for (const part of components) {
          const { logValue, marginals } = await found(part, "marginals");
          logZ += logValue;
          largest += (await found(part, "map")).logValue;
          part.variables.forEach((variable, i) => {
            part.states[i].forEach((state, s) => {
              expect(Math.abs(marginals![i][s] - truth.marginals[variable][state])).toBeLessThan(1e-12);
            });
          });
        }
        expect(Math.abs(logZ - truth.logZ)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logZ)));
        expect(Math.abs(largest - truth.logLargest)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logLargest)));
      }),
      { numRuns: power(80, 300), seed: 15 },
    );
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(used);
  });

  it("equals enumeration on small random graphs whose joint states are enumerated together", async () => {
    let small = 0;
    await fc.assert(
      fc.asyncProperty(randomGraphs, async (graph) => {
        const truth = enumerateGraph(graph);
        fc.pre(Number.isFinite(truth.logZ));
        const answer = await infer(graph);
        if (answer.method.startsWith("elimination: all joint states at once")) small++;
        expect(answer.certificate).toEqual({ exact: true });
        expect(Math.abs(answer.logZ - truth.logZ)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logZ)));
        truth.marginals.forEach((p, variable) => {
          p.forEach((value, state) => {
            expect(Math.abs(answer.marginal(variable).p[state] - value)).toBeLessThan(1e-12);
          });
        });
        const { best, gap } = await infer(graph, { task: "map" });
        expect(gap).toBe(0);
        expect(Math.abs(best.value - truth.logLargest)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logLargest)));
        expect(Math.abs(logProductAt(graph, best.states) - truth.logLargest)).toBeLessThan(1e-9);
      }),
      { numRuns: power(80, 300), seed: 16 },
    );
    expect(small).toBeGreaterThan(power(26, 100));
  });

  it("refuses the answer's own fields on a run that was not awaited", () => {
    const run = infer(graphOf([2], []));
    for (const name of ["certificate", "marginal", "logZ", "best"]) expect(() => Reflect.get(run, name)).toThrow(/RUN_UNAWAITED/);
  });

  it("reports impossible evidence", async () => {
    const graph = graphOf([2, 2], [{ scope: [0, 1], values: [0, 1, 1, 0] }], { 0: 0, 1: 0 });
    expect((await infer(graph, { task: "partition" })).logZ).toBe(-Infinity);
    await expect(infer(graph)).rejects.toThrow(/evidence has probability 0 .* \[GRAPH_IMPOSSIBLE\]/);
  });

  it("blames the graph, not missing evidence, if no state is possible, and names a table of zeros", async () => {
    const odd = [0, 1, 1, 0];
    const cycle = [
      [0, 1],
      [1, 2],
      [0, 2],
    ].map((scope) => ({ scope, values: odd }));
    const contradictory = infer(graphOf([2, 2, 2], cycle));
    await expect(contradictory).rejects.toThrow(
      /^infer: no state is possible, because the factors .*rule out every state.*\[GRAPH_IMPOSSIBLE\]/,
    );
    await expect(contradictory).rejects.not.toThrow(/evidence has probability 0/);
    const empty = factorGraph();
    for (const name of ["a", "b", "c"]) empty.variable(name);
    empty.table(["a", "c"], [1, 2, 3, 4]);
    empty.table(["c", "b"], [0, 0, 0, 0]);
    const named = /^infer: the table over "c", "b" is 0 everywhere, so there is no answer.*\[GRAPH_IMPOSSIBLE\]/;
    for (const evidence of [undefined, { a: true }])
      for (const task of ["marginals", "map"] as const) await expect(infer(empty, { task, evidence })).rejects.toThrow(named);
    expect((await infer(empty, { task: "partition" })).logZ).toBe(-Infinity);
    const logs = factorGraph();
    logs.variable("d");
    logs.table(["d"], [-Infinity, -Infinity], { logs: true });
    await expect(infer(logs, { algorithm: graphGibbs() })).rejects.toThrow(/the table over "d" is 0 everywhere/);
  });
});

describe("graphs of extreme size", () => {
  it("refuses too many states before it allocates anything", async () => {
    const graph = factorGraph();
    graph.variable("a", 1e9);
    await expect(infer(graph)).rejects.toThrow(/1000000000 states of all variables would take .* \[MEMORY_LIMIT\]/);
  });

  it("merges 20,000 tables on the same two variables, in either order", async () => {
    const factors = Array.from({ length: 20_000 }, (_, i) => ({
      scope: i % 2 ? [0, 1] : [1, 0],
      values: i % 2 ? [1, 1.0001, 1, 1] : [1, 1, 1.0002, 1],
    }));
    const { logZ } = await infer(graphOf([2, 2], factors), { task: "partition" });
    expect(logZ).toBeCloseTo(10_000 * (Math.log(1.0001) + Math.log(1.0002)) + Math.log(1 + 3 * (1.0001 * 1.0002) ** -10_000), 9);
  });

  it("solves 4,000 parts and a chain of 12,000 variables exactly", async () => {
    const count = 12_000;
    const parts = factorGraph();
    for (let i = 0; i < 4000; i++) parts.variable(undefined, 3);
    for (let i = 0; i < 4000; i++) parts.table([i], [1, 2, 3 + (i % 2)]);
    expect((await infer(parts, { task: "partition" })).logZ).toBeCloseTo(2000 * Math.log(42), 6);
    const chain = factorGraph();
    for (let i = 0; i < count; i++) chain.variable();
    for (let i = 1; i < count; i++) chain.table([i - 1, i], [0.8, 0.2, 0.3, 0.7]);
    chain.table([0], [1, 0]);
    const answer = await infer(chain);
    // P(x_i) of a Markov chain is 0.6 + 0.4 · 0.5^i.
    for (const i of [1, 2, 7, 20, count - 1]) expect(answer.marginal(i).p[0]).toBeCloseTo(0.6 + 0.4 * 0.5 ** i, 12);
    // Logarithms of the scales of tables sum to thousands, and cancel.
    expect(Math.abs(answer.logZ)).toBeLessThan(1e-12 * count);
  });
});

describe("elimination of large graphs", () => {
  /** A grid of Booleans with random pairwise factors. `zeros` is the share of entries that are 0. */
  const grid = (side: number, zeros: number, size = 2) => {
    const draws = stream(7, "grid", side).at(0);
    const factors: { scope: number[]; values: number[] }[] = [];
    const pair = (a: number, b: number): void => {
      const values = Array.from({ length: 4 }, () => (draws.uniform() < zeros ? 0 : Math.exp(size * draws.normal())));
      factors.push({ scope: [a, b], values });
    };
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) {
        if (j + 1 < side) pair(i * side + j, i * side + j + 1);
        if (i + 1 < side) pair(i * side + j, (i + 1) * side + j);
      }
    return graphOf(new Array(side * side).fill(2), factors);
  };
  const tasks = ["marginals", "partition", "map"] as const;

  /** Booleans in a row, each with a pairwise factor to the next 21: cliques of 2^22 states, which are split into pieces. */
  const band = () => {
    const count = 23;
    const draws = stream(7, "band").at(0);
    const factors: { scope: number[]; values: number[] }[] = [];
    for (let b = 0; b < count; b++)
      for (let a = Math.max(0, b - 21); a < b; a++)
        factors.push({ scope: [a, b], values: Array.from({ length: 4 }, () => Math.exp(draws.normal())) });
    return graphOf(new Array(count).fill(2), factors);
  };

  it.each([0, 0.08])("gets the same answer from slices as from one pass, with zeros %f", async (zeros) => {
    const graph = grid(9, zeros);
    for (const task of tasks) {
      const whole = await infer(graph, { task });
      const sliced = await infer(graph, { task, memory: zeros === 0 ? 2e-5 : 6e-6 });
      expect(whole.method).not.toMatch(/slices/);
      expect(sliced.method).toMatch(/\d+ slices over the states of/);
      if (task === "map") {
        expect(sliced.best.value).toBeCloseTo(whole.best.value, 9);
        expect(logProductAt(graph, sliced.best.states)).toBeCloseTo(whole.best.value, 9);
        continue;
      }
      expect(sliced.logZ).toBeCloseTo(whole.logZ, 9);
      if (task === "marginals")
        for (const variable of graph.cardinalities.keys())
          sliced.marginal(variable).p.forEach((p, state) => {
            expect(p).toBeCloseTo(whole.marginal(variable).p[state], 11);
          });
    }
  });

  it("produces the same bytes on one and three workers, in pieces", async () => {
    const graph = band();
    const found = await Promise.all([1, 3].map((workers) => infer(graph, { workers })));
    const [one, three] = found.map((answer) => {
      const { marginals, logZ } = answer.toJSON();
      return JSON.stringify([marginals, logZ]);
    });
    expect(three).toBe(one);
  });

  it("handles dozens of potentials of e^±300, beyond the range of float64", async () => {
    const graph = grid(6, 0.05, 150);
    const { logZ } = await infer(graph, { task: "partition" });
    const { best } = await infer(graph, { task: "map" });
    // With this range, all states except the best have almost no probability.
    expect(logZ).toBeGreaterThanOrEqual(best.value);
    expect(logZ - best.value).toBeLessThan(1);
    const marginals = await infer(graph);
    for (const variable of graph.cardinalities.keys()) {
      const { p } = marginals.marginal(variable);
      expect(p[best.states[variable]]).toBeGreaterThan(0.5);
      expect(p[0] + p[1]).toBeCloseTo(1, 12);
    }
  });

  it("detects loss by underflow in a chain that forces the least probable state", async () => {
    // Each link is e^−200 if both ends are 1. The last variable is observed to be 1, which forces all others to 1.
    const count = 12;
    const links = Array.from({ length: count - 1 }, (_, i) => ({ scope: [i, i + 1], values: [1, 0, 0, Math.exp(-200)] }));
    const tight = Array.from({ length: count - 2 }, (_, i) => ({ scope: [i, i + 2], values: [1, 1, 1, Math.exp(-150)] }));
    const graph = graphOf(new Array(count).fill(2), [...links, ...tight, { scope: [count - 1], values: [1e-300, 1] }]);
    const open = graphOf(new Array(count).fill(2), [...links, ...tight]);
    expect((await infer(graph, { task: "partition" })).logZ).toBeCloseTo(Math.log(1e-300), 9);
    const forced = graphOf(new Array(count).fill(2), [...links, ...tight, { scope: [0], values: [0, 1] }]);
    expect((await infer(forced, { task: "partition" })).logZ).toBeCloseTo(-200 * (count - 1) - 150 * (count - 2), 6);
    expect((await infer(open, { task: "partition" })).logZ).toBeCloseTo(0, 12);
  });

  it.each(["partition", "marginals"] as const)("reports that underflow could have lost too much: %s", async (kind) => {
    const engine = await openEngine({ families: ["graphs"] });
    const lostOf = async (...tables: [number, number][]): Promise<boolean> => {
      const part = { cardinalities: [2], tables: tables.map((values) => tableOf([0], [2], Float64Array.from(values))) };
      const cliques = junctionTree(
        [0],
        tables.map(() => [0]),
      );
      const pass = new TreePass(cliques, part, kind, engine);
      for await (const _ of pass.work());
      pass.dispose();
      return pass.lost;
    };
    // Underflow can take everything, then 1e-10 of the rest, then 1e-50, which is negligible.
    expect(await lostOf([0, 1], [1, 1e-200], [1, 1e-200])).toBe(true);
    expect(await lostOf([1e-150, 1], [1e-145, 1], [1, 1e-200], [1, 1e-200])).toBe(true);
    expect(await lostOf([1e-150, 1], [1e-105, 1], [1, 1e-200], [1, 1e-200])).toBe(false);
  });

  it("refuses invalid tables, and names their factor", async () => {
    for (const values of [
      [1, Number.NaN],
      [1, -1],
      [1, Infinity],
    ])
      await expect(infer(graphOf([2], [{ scope: [0], values }]))).rejects.toThrow(
        /value 1 of factor 0 on \(x0\) is .*, but must be finite and >= 0; correct the table \[GRAPH_TABLE\]/,
      );
    await expect(infer(graphOf([2], [{ scope: [0], values: [0, Infinity], logs: true }]))).rejects.toThrow(/is a logarithm/);
    await expect(infer(graphOf([2, 2], [{ scope: [0, 1], values: [1, 1] }]))).rejects.toThrow(
      /has 2 values, but its variables have 2 × 2/,
    );
    await expect(infer(graphOf([2, 2], [{ scope: [0, 0], values: [1, 1, 1, 1] }]))).rejects.toThrow(/list different variables/);
    await expect(infer(graphOf([2, 2], [{ scope: [0, 7], values: [1, 1] }]))).rejects.toThrow(/2 × no states/);
  });

  it("refuses infeasible elimination, and reports its cost", async () => {
    const graph = grid(12, 0);
    await expect(infer(graph, { algorithm: elimination({ mostStates: 1000 }) })).rejects.toThrow(
      /the cliques of the best order have 2\^\d+\.\d states and exchange messages of .* use an algorithm that approximates \[GRAPH_WIDTH\]/,
    );
  });

  it("finds the best value and its state in pieces of a large clique", async () => {
    const graph = grid(19, 0);
    const { best } = await infer(graph, { task: "map", workers: 2 });
    expect(logProductAt(graph, best.states)).toBeCloseTo(best.value, 8);
    const nearby = await infer(graph, { task: "map", algorithm: graphAnnealing({ sweeps: 200, restarts: 1 }) });
    expect(nearby.best.value).toBeLessThanOrEqual(best.value + 1e-9);
  });

  it.each(tasks)("resumes from a checkpoint to the same bytes, and releases its memory: %s", async (task) => {
    const graph = grid(9, 0);
    const { memory } = await openEngine();
    const before = memory.usedBytes;
    const run = infer(graph, { task, memory: 2e-5 });
    let bytes: Uint8Array | undefined;
    for await (const tick of run) if ((tick.slice as number) > 3) bytes = await run.checkpoint();
    const whole = await run;
    const resumed = await infer.resume(bytes!, graph);
    const numbers = (answer: typeof whole): string => {
      const { description: _, ...found } = answer.toJSON();
      return JSON.stringify(found);
    };
    expect(numbers(resumed)).toBe(numbers(whole));
    expect(memory.usedBytes).toBeLessThanOrEqual(before);
    await expect(infer.resume(bytes!, grid(8, 0))).rejects.toThrow(/the checkpoint is of another graph/);
  });
});

it("refuses to answer for what is no variable", async () => {
  const graph = factorGraph();
  graph.variable("rain", 2);
  const answer = await infer(graph);
  for (const wrong of [null, true, [], {}, undefined])
    expect(() => answer.marginal(wrong as never)).toThrow(/^answer: the variable is .*must be a name or a number/);
});
