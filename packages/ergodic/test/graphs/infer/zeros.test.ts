/** Exact inference when zeros exclude most states: known counts, the basis of limits, and the guarantees of runs. */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { graphGibbs, infer } from "../../../src/entries/everything.ts";
import { elimination } from "../../../src/graphs/exact/elimination.ts";
import { reduce } from "../../../src/graphs/parts/reduction.ts";
import { isSlow } from "../../power.ts";
import { logProductAt } from "../../reference/enumerate-graph.ts";
import { graphOf } from "../../reference/random-graph.ts";

/** Latin squares with a given first row: each row and each column contains each of `side` numbers once. */
function latinSquares(side: number, weight: (cell: number, number: number) => number = () => 1) {
  const differ = Array.from({ length: side * side }, (_, i) => (Math.floor(i / side) === i % side ? 0 : 1));
  const factors: { scope: number[]; values: number[] }[] = [];
  for (let line = 0; line < side; line++)
    for (let a = 0; a < side; a++)
      for (let b = a + 1; b < side; b++) {
        factors.push({ scope: [line * side + a, line * side + b], values: differ });
        factors.push({ scope: [a * side + line, b * side + line], values: differ });
      }
  for (let cell = 0; cell < side * side; cell++)
    factors.push({ scope: [cell], values: Array.from({ length: side }, (_, number) => weight(cell, number)) });
  const first = Object.fromEntries(Array.from({ length: side }, (_, column) => [column, column]));
  return graphOf(new Array(side * side).fill(side), factors, first);
}

/** Assigns to each target on a line one of the nearby measurements, or none. No measurement belongs to two targets. */
function assignments(count: number, reach: number) {
  const draws = stream(3, "assignments").at(0);
  const choices = Array.from({ length: count }, (_, target) => {
    const near = Array.from({ length: 2 * reach + 1 }, (_, k) => target - reach + k);
    return [-1, ...near.filter((measurement) => measurement >= 0 && measurement < count)];
  });
  const factors: { scope: number[]; values: number[] }[] = [];
  choices.forEach((mine, target) => {
    factors.push({ scope: [target], values: mine.map(() => 0.1 + draws.uniform()) });
    for (let other = Math.max(0, target - 2 * reach); other < target; other++) {
      const values = choices[other].flatMap((theirs) => mine.map((own) => (own >= 0 && own === theirs ? 0 : 1)));
      factors.push({ scope: [other, target], values });
    }
  });
  return graphOf(
    choices.map(({ length }) => length),
    factors,
  );
}

const bytesOf = (answer: { toJSON(): { marginals?: unknown; logZ?: unknown } }): string => {
  const { marginals, logZ } = answer.toJSON();
  return JSON.stringify([marginals, logZ]);
};

describe("states excluded by zeros", () => {
  it("counts Latin squares", async () => {
    const answer = await infer(latinSquares(5));
    expect(answer.method).toMatch(/elimination: junction tree, 2\^\d+\.\d of its 2\^\d+\.\d states, zeros left out/);
    expect(answer.certificate).toEqual({ exact: true });
    // Each first row belongs to 1,344 of 161,280 squares.
    expect(Math.abs(answer.logZ - Math.log(1344))).toBeLessThan(1e-12 * Math.log(1344));
    const { p } = answer.marginal(5 * 3 + 2);
    expect(p[2]).toBe(0);
    for (const number of [0, 1, 3, 4]) expect(Math.abs(p[number] - 0.25)).toBeLessThan(1e-12);
    expect((await infer(latinSquares(5), { task: "partition" })).logZ).toBeCloseTo(Math.log(1344), 12);
  });

  it("finds the best state, even if the smallest weights are outside the range of float64", async () => {
    for (const size of [1, 60]) {
      const draws = stream(5, "weights", size).at(0);
      const weights = Array.from({ length: 125 }, () => Math.exp(size * draws.normal()));
      const graph = latinSquares(5, (cell, number) => weights[cell * 5 + number]);
      // In npm test, largest products are of the wide range, and sums of the other.
      if (isSlow || size === 60) {
        const { best, gap, method } = await infer(graph, { task: "map" });
        expect(method).toMatch(/zeros left out/);
        expect(gap).toBe(0);
        expect(Math.abs(logProductAt(graph, best.states) - best.value)).toBeLessThan(1e-9 * Math.abs(best.value));
        // In slices that are small enough to enumerate.
        const sliced = await infer(graph, { task: "map", memory: 2 ** -13 });
        expect(sliced.method).toMatch(/slices/);
        expect(Math.abs(sliced.best.value - best.value)).toBeLessThan(1e-9 * Math.abs(best.value));
      }
      if (!isSlow && size === 60) continue;
      const [whole, parts] = [await infer(graph), await infer(graph, { memory: 2 ** -13 })];
      expect(parts.method).toMatch(/slices/);
      expect(Math.abs(whole.logZ - parts.logZ)).toBeLessThan(1e-10 * Math.abs(parts.logZ));
      for (const variable of graph.cardinalities.keys())
        whole.marginal(variable).p.forEach((p, state) => {
          expect(Math.abs(p - parts.marginal(variable).p[state])).toBeLessThan(1e-10);
        });
    }
  });

  it("applies limits to the remaining states, and to memory without slices", async () => {
    const graph = latinSquares(5);
    const { method } = await infer(graph, { algorithm: elimination() });
    const [left, all] = method.match(/2\^(\d+\.\d)/g)!.map((power) => Number(power.slice(2)));
    expect(all - left).toBeGreaterThan(2);
    await infer(graph, { algorithm: elimination({ mostStates: 2 ** (all - 0.2) }) });
    await expect(infer(graph, { algorithm: elimination({ mostStates: 2 ** (left - 1) }) })).rejects.toThrow(/GRAPH_WIDTH/);
    // Messages on all states would need 16 MiB.
    expect((await infer(graph, { memory: 2 ** -8 })).method).toMatch(/zeros left out/);
    expect((await infer(graph, { memory: 2 ** -9 })).method).toMatch(/slices/);
  });

  it("produces the same bytes on one and two workers, in pieces and after a checkpoint", async () => {
    const graph = assignments(9, 4);
    const one = await infer(graph, { workers: 1 });
    expect(one.method).toMatch(/zeros left out/);
    expect(bytesOf(await infer(graph, { workers: 2 }))).toBe(bytesOf(one));
    const run = infer(graph);
    let kept: Uint8Array | undefined;
    for await (const tick of run) if (!kept && (tick.states as number) > 0) kept = await run.checkpoint();
    expect(bytesOf(await infer.resume(kept!, graph))).toBe(bytesOf(one));
  });

  it("releases its memory wherever it stops", async () => {
    const engine = await openEngine({ families: ["graphs"] });
    const before = engine.memory.usedBytes;
    const [part] = reduce(latinSquares(5)).components;
    const plan = { task: "marginals", seed: 0, workers: 1, memory: 2 ** 30 } as const;
    let stretches = 0;
    for (const whole = elimination().start(part, plan, engine); !whole.ended; stretches++) await whole.advance();
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    for (let stop = 1; stop < stretches; stop += Math.ceil(stretches / 7)) {
      const given = elimination().start(part, plan, engine);
      for (let i = 0; i < stop; i++) await given.advance();
      given.dispose();
      expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    }
  });
});

it("chains report a probability and an error for every original state if zeros exclude some states", async () => {
  // The middle state is excluded. Ten such variables form a ring, so that there is something to sample.
  const count = 10;
  const factors = Array.from({ length: count }, (_, i) => ({ scope: [i, (i + 1) % count], values: [3, 1, 1, 1, 3, 1, 1, 1, 3] }));
  for (let i = 0; i < count; i++) factors.push({ scope: [i], values: [1, 0, 2] });
  const answer = await infer(graphOf(new Array(count).fill(3), factors), { algorithm: graphGibbs({ mcse: 0.05 }), seed: 1 });
  for (let i = 0; i < count; i++) {
    const { p, certificate } = answer.marginal(i);
    if (!("mcse" in certificate)) throw new Error(JSON.stringify(certificate));
    expect(Array.from(p)).toHaveLength(3);
    expect(p[1]).toBe(0);
    expect(certificate.mcse).toHaveLength(3);
    expect(certificate.mcse[1]).toBe(0);
    expect(certificate.mcse[0]).toBeGreaterThan(0);
    expect(certificate.mcse[2]).toBeGreaterThan(0);
  }
});
