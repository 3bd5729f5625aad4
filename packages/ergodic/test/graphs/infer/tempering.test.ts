/**
 * Parallel tempering compared with exact answers: on random graphs with strong couplings, on graphs with barriers,
 * which must be flagged or answered correctly, and on Ising magnets.
 *
 * False alarms: at level 0.999, 3 or more misses of ln Z have a probability of 2e-6 for 24 intervals and of 8e-8 for 9.
 * Two or more misses for 6 intervals have a probability of 2e-5.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { FactorTables } from "../../../src/engine/contract/index.ts";
import { DataError } from "../../../src/engine/errors/errors.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { elimination, graphTempering, infer } from "../../../src/entries/everything.ts";
import type { PartInference } from "../../../src/graphs/parts/algorithm.ts";
import { reduce } from "../../../src/graphs/parts/reduction.ts";
import { isSlow, power } from "../../power.ts";
import { binomialLimit } from "../../reference/binomial-limit.ts";
import { heldTo } from "../../reference/held-to-certificate.ts";
import { graphOf, gridEdges } from "../../reference/random-graph.ts";

/**
 * Each pair of variables shares a table of large random logarithms with probability 0.4, and each variable has a table
 * of its own.
 */
function strong(seed: number, strength: number, boolean: boolean): FactorTables {
  const draws = stream(seed, "strong graphs").at(0);
  const cardinalities = Array.from({ length: 5 + draws.integer(6) }, () => (boolean ? 2 : 2 + draws.integer(3)));
  const values = (size: number) => Array.from({ length: size }, () => strength * draws.normal());
  const factors = cardinalities.map((count, a) => ({ scope: [a], values: values(count), logs: true }));
  for (let a = 0; a < cardinalities.length; a++)
    for (let b = 0; b < a; b++)
      if (draws.uniform() < 0.4) factors.push({ scope: [b, a], values: values(cardinalities[a] * cardinalities[b]), logs: true });
  return graphOf(cardinalities, factors);
}

/** Pairs of equal strength and either sign, so that copies are bits. */
function frustrated(seed: number): FactorTables {
  const draws = stream(seed, "frustrated graphs").at(0);
  const count = 8 + draws.integer(8);
  const pairs: { scope: number[]; values: number[]; logs: boolean }[] = [{ scope: [0], values: [0.4, 0], logs: true }];
  for (let a = 0; a < count; a++)
    for (let b = 0; b < a; b++) {
      const c = draws.uniform() < 0.4 ? 1.2 : -1.2;
      if (draws.uniform() < 0.5 || b === a - 1) pairs.push({ scope: [b, a], values: [c, -c, -c, c], logs: true });
    }
  return graphOf(Array(count).fill(2), pairs);
}

/**
 * One joint state of n Booleans has the value e^(strength n ln 2), and all others are equal. No path leads to this
 * state.
 */
function hole(seed: number, strength: number): FactorTables {
  const draws = stream(seed, "holes").at(0);
  const count = 11 + draws.integer(5);
  const values = new Array<number>(2 ** count).fill(0);
  values[draws.integer(values.length)] = strength * count * Math.LN2;
  const chain = Array.from({ length: count - 1 }, (_, i) => ({ scope: [i, i + 1], values: [0.3, 0, 0, 0.3], logs: true }));
  return graphOf(Array(count).fill(2), [{ scope: Array.from({ length: count }, (_, i) => i), values, logs: true }, ...chain]);
}

/** A clique of Booleans whose triples prefer to be 1 together. Order sets in suddenly, at a power below 1. */
function triples(count: number, strength: number): FactorTables {
  const factors: { scope: number[]; values: number[]; logs: boolean }[] = [];
  for (let a = 0; a < count; a++)
    for (let b = 0; b < a; b++)
      for (let c = 0; c < b; c++) factors.push({ scope: [c, b, a], values: [0, 0, 0, 0, 0, 0, 0, strength], logs: true });
  return graphOf(Array(count).fill(2), factors);
}

/** Returns errors and misses of an answer, and whether the answer has no guarantee. */
async function tried(
  graph: FactorTables,
  seed: number,
  options = {},
): Promise<{ flagged: boolean; missed: boolean; wrong: number }> {
  const algorithm = graphTempering({ warmup: 100, sweeps: 600, ...options });
  const [exact, found] = [await infer(graph, { algorithm: elimination() }), await infer(graph, { algorithm, seed })];
  const { logZ, logZCertificate } = found;
  let wrong = heldTo(logZCertificate, logZ, exact.logZ) === "wrong" ? 1 : 0;
  for (let v = 0; v < graph.variableCount; v++) {
    const { p, certificate } = found.marginal(v);
    for (const [state, value] of p.entries())
      if (heldTo(certificate, value, exact.marginal(v).p[state], state) === "wrong") wrong++;
  }
  return { flagged: "none" in logZCertificate, missed: heldTo(logZCertificate, logZ, exact.logZ) === "missed", wrong };
}

describe("parallel tempering", () => {
  it("holds its intervals on strongly coupled graphs, as chains and as bits", async () => {
    const graphs = Array.from({ length: power(2, 8) }, (_, i) => [
      strong(i, 2.5, false),
      strong(i, 2.5, true),
      frustrated(i),
    ]).flat();
    let [flagged, missed] = [0, 0];
    for (const [seed, graph] of graphs.entries()) {
      const found = await tried(graph, seed);
      expect(found.wrong).toBe(0);
      flagged += found.flagged ? 1 : 0;
      missed += found.missed ? 1 : 0;
    }
    console.log(`strong couplings: ${flagged} of ${graphs.length} flagged, ${missed} intervals miss`);
    expect(missed).toBeLessThan(binomialLimit(graphs.length, 0.001, 1e-5));
    expect(flagged).toBeLessThan((5 / 24) * graphs.length);
  });

  it("flags barriers that it cannot cross, or is right", async () => {
    let [flagged, missed] = [0, 0];
    for (const [seed, graph] of [
      ...[0.8, 1, 1.3, 2].map((strength, i) => hole(i, strength)),
      ...[0.08, 0.2].map((strength) => triples(11, strength)),
    ].entries()) {
      const found = await tried(graph, seed, { sweeps: 300 });
      expect(found.wrong).toBe(0);
      flagged += found.flagged ? 1 : 0;
      missed += found.missed ? 1 : 0;
    }
    console.log(`barriers: ${flagged} of 6 flagged, ${missed} intervals miss`);
    expect(missed).toBeLessThan(2);
    expect(flagged).toBeGreaterThan(0);
  });

  it("computes the same result on two workers, as chains and as bits", async () => {
    for (const graph of [strong(3, 1, false), frustrated(3)]) {
      const [one, two] = await Promise.all(
        [1, 2].map((workers) => infer(graph, { algorithm: graphTempering({ warmup: 50, sweeps: 100 }), workers, seed: 9 })),
      );
      expect(two.marginal(1)).toEqual(one.marginal(1));
      expect(one.method).toMatch(
        /^parallel tempering: (16|64) ensembles( that are bits)? at \d+ powers, 100 sweeps, \d+ restarts$/,
      );
      expect(two.method).toBe(one.method);
    }
  });

  it("has no guarantee if only the search found a state, even after a checkpoint", async () => {
    const engine = await openEngine({ families: ["graphs"] });
    const [part] = reduce(strong(3, 1, true)).components;
    const plan = { task: "marginals", seed: 5, workers: 1, memory: 2 ** 24 } as const;
    const begin = () =>
      graphTempering({ warmup: 50, sweeps: 200 }).start(part, plan, engine) as PartInference & { floors: Float64Array };
    const run = begin();
    while (!run.ended) await run.advance();
    expect(run.answer()!.logZ!.certificate).toHaveProperty("interval");
    // Simulates searches that ended where the product is larger than in any state of the ladders.
    expect(run.floors.every(Number.isFinite)).toBe(true);
    run.floors[2] = 1e6;
    const none = {
      none: "the ladders did not return to states that a search had found, which are more probable than all states visited since",
    };
    expect(run.answer()!.logZ!.certificate).toEqual(none);
    expect(run.answer()!.marginals![0].certificate).toEqual(none);
    const resumed = begin();
    resumed.restore(structuredClone(run.snapshot()));
    while (!resumed.ended) await resumed.advance();
    expect(resumed.floors).toEqual(run.floors);
    expect(resumed.answer()!.logZ!.certificate).toEqual(none);
    // The snapshot is taken within a sweep, at one of its copies.
    const { tensors, state } = run.snapshot();
    for (const place of [1e6, -1, 0.5]) {
      const damaged = begin();
      const resume = async (): Promise<void> => {
        damaged.restore({ tensors, state: { ...(state as object), place } });
        await damaged.advance();
        await damaged.advance();
      };
      await expect(resume(), `${place}`).rejects.toThrow(DataError);
      damaged.dispose();
    }
    run.dispose();
    resumed.dispose();
  });

  it("starts with random copies, before any sweep", async () => {
    const engine = await openEngine({ families: ["graphs"] });
    const plan = { task: "marginals", seed: 5, workers: 1, memory: 2 ** 24 } as const;
    for (const tables of [false, true]) {
      const [part] = reduce(strong(3, 1, tables)).components;
      const run = graphTempering({ warmup: 50, sweeps: 200 }).start(part, plan, engine);
      while (!("floors" in run.snapshot().tensors)) await run.advance();
      const { tensors, state } = run.snapshot();
      expect(state).toEqual({ sweep: 0, place: 0 });
      const words = [...(tensors["copies.states"] as Uint32Array)];
      // Copies without initial states would all be in the first state.
      expect(new Set(words).size).toBeGreaterThan(8);
      run.dispose();
    }
  });

  it("refuses zeros, and variables with more states than fit in a byte", async () => {
    const zero = graphOf([2, 2], [{ scope: [0, 1], values: [1, 0, 2, 3] }]);
    await expect(infer(zero, { algorithm: graphTempering() })).rejects.toThrow(
      "graphTempering: a factor has an entry of 0, but all must be above 0; use importanceSampling(), or elimination() [GRAPH_ZEROS]",
    );
    const many = graphOf([2, 257], [{ scope: [0, 1], values: Array.from({ length: 514 }, (_, i) => 1 + i) }]);
    await expect(infer(many, { algorithm: graphTempering() })).rejects.toThrow(
      /variable 1 has 257 states, but at most 256 .*GRAPH_STATES/,
    );
  });

  it("claims nothing before warm-up ends, and has no guarantee with few restarts", async () => {
    const algorithm = graphTempering({ warmup: 100, sweeps: 150 });
    const far = await infer(hole(1, 2), { task: "partition", algorithm });
    expect(far.certificate).toEqual({
      none: expect.stringMatching(/^the ensembles disagree: values at power [\d.]+ have an R-hat of/),
    });
    // With many variables and few sweeps, no state travels the whole ladder.
    const factors = gridEdges(16, 16).map((scope) => ({ scope: [...scope], values: [1, -1, -1, 1], logs: true }));
    const long = await infer(graphOf(Array(256).fill(2), factors), { algorithm });
    expect(long.certificate).toEqual({ none: expect.stringMatching(/R-hat|came from power 0 to power 1/) });
    expect(long.marginal(3).certificate).toEqual(long.certificate);
  });
});

const file = fileURLToPath(new URL("../../../../../../shared/data/graphs/ising/islogdos16x16.txt", import.meta.url));
if (!existsSync(file)) console.log(`skipped: the 16 × 16 Ising model, since there is no ${file}`);

describe.skipIf(!existsSync(file))("the 16 × 16 Ising model", () => {
  /** Uses the numbers of states: line i, from 0, is ln of the number of states with energy −512 + 4i. */
  function exactLogZ(beta: number): number {
    const lines = readFileSync(file, "utf8").trim().split("\n");
    const terms = lines.map((line, i) => {
      const count = Number(line.replace(/`.*/, ""));
      return count < 0 ? -Infinity : count - beta * (4 * i - 512);
    });
    const high = Math.max(...terms);
    return high + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - high), 0));
  }

  it.each(isSlow ? [2.269, 2.5] : [2.269])("contains ln Z and marginals in narrow intervals at T = %d", async (temperature) => {
    const beta = 1 / temperature;
    const factors = gridEdges(16, 16, true).map((scope) => ({
      scope: [...scope],
      values: [beta, -beta, -beta, beta],
      logs: true,
    }));
    const answer = await infer(graphOf(Array(256).fill(2), factors), {
      algorithm: graphTempering({ sweeps: power(1500, 3000) }),
      seed: 1,
    });
    const [low, high] = (answer.logZCertificate as unknown as { interval: [number, number] }).interval;
    console.log(`T = ${temperature}: ${(answer.logZ - exactLogZ(beta)).toFixed(3)} off, width ${(high - low).toFixed(3)}`);
    expect(heldTo(answer.logZCertificate, answer.logZ, exactLogZ(beta))).toBe("holds");
    expect(high - low).toBeLessThan(0.5);
    let missed = 0;
    for (let v = 0; v < 256; v++) {
      const [[from, to]] = (answer.marginal(v).certificate as unknown as { interval: [number, number][] }).interval;
      expect(to - from).toBeLessThan(0.2);
      if (from > 0.5 || to < 0.5) missed++;
    }
    // All variables move together, so one miss usually comes with many.
    expect(missed).toBe(0);
  });
});
