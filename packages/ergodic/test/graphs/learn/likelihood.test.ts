/**
 * The log-likelihood of shown and held-out labels, exact or by annealed importance sampling, compared with enumeration.
 */
import { describe, expect, it } from "vitest";
import {
  exactLikelihood,
  factorGraph,
  fit,
  inferenceFromJson,
  type LearnedGraph,
  pseudoLikelihood,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";
import { binomialLimit } from "../../reference/binomial-limit.ts";
import { enumerateGraph } from "../../reference/enumerate-graph.ts";
import { smallWorld, twoModes } from "./small-worlds.ts";

/** Few enough seconds that only tiny parts are exact. */
const none = { seconds: 1e-9 };

const learn = (world: ReturnType<typeof smallWorld> | ReturnType<typeof twoModes>, heldOut: number): PromiseLike<LearnedGraph> =>
  fit(world.graph, { algorithm: pseudoLikelihood(), epochs: 30, heldOut, seed: 4 });

describe("likelihood", () => {
  it("equals enumeration for shown labels, exactly if the graph is narrow enough", async () => {
    for (const world of [smallWorld(3, { copies: 10, hidden: 0.2 }), twoModes(1, { size: 8, copies: 3, truth: [0.1, 0.3] })]) {
      const learned = await learn(world, 0);
      const found = await learned.likelihood();
      expect(Math.abs(found.value + world.loss(learned.weights).value)).toBeLessThan(1e-10);
      expect(found).toMatchObject({ error: 0, certificate: { exact: true }, method: "exact" });
      const { graph } = world;
      const seen = Array.from({ length: graph.variableCount }, (_, v) => v).filter((v) => graph.observedState(v) >= 0);
      expect(found.count).toBe(seen.length);
    }
  });

  it("is refused without observations, because labels with probabilities are not evidence", async () => {
    const graph = factorGraph();
    graph.variable("spam", undefined, { truthiness: [0.2, 0.8] });
    graph.all(["spam"], { weight: graph.weight("prior") });
    const learned = await fit(graph, { algorithm: exactLikelihood(), epochs: 3 });
    await expect(learned.likelihood()).rejects.toThrow(/no variable was observed.*\[GRAPH_EVIDENCE\]/);
  });

  it("conditions held-out labels on shown ones, and ignores later observations", async () => {
    // One copy, so that the whole graph can be enumerated.
    const world = smallWorld(8, { copies: 1 });
    const learned = await learn(world, 0.4);
    const { heldOut } = learned;
    expect(heldOut.length).toBeGreaterThan(0);
    expect(heldOut.length).toBeLessThan(6);
    const all = world.graph.withWeights(learned.weights);
    const logZ = (graph: typeof all): number => enumerateGraph(graph.factorTables("partition")).logZ;
    const wanted = (logZ(all) - logZ(learned.graph)) / heldOut.length;
    for (const { variable } of heldOut) world.graph.observe(variable, all.observedState(variable) === 0);
    const found = await learned.likelihood();
    expect(Math.abs(found.value - wanted)).toBeLessThan(1e-10);
    expect(found.count).toBe(heldOut.length);
    const shown = await learned.likelihood({ of: "shown" });
    expect(shown.count).toBe(6 - heldOut.length);
    expect(Math.abs(shown.value - found.value)).toBeGreaterThan(1e-3);
  });

  it("is estimated on wider graphs, with errors as large as claimed, and reports this", async () => {
    let [beyond2, beyond4, count] = [0, 0, 0];
    const squares: number[] = [];
    const particles = power(100, 150);
    for (let seed = 0; seed < power(4, 12); seed++) {
      const world = twoModes(seed, { size: 12, copies: 2, truth: [0.1, 0.05 + power(0.03, 0.01) * seed] });
      // With most labels held out, parts are large even if the rest is given.
      const learned = await learn(world, 0.7);
      const of = seed % 2 === 0 ? "heldOut" : "shown";
      const exact = await learned.likelihood({ of });
      expect(exact.error).toBe(0);
      for (let again = 0; again < 4; again++) {
        const found = await learned.likelihood({ ...none, of, seed: 4 * seed + again, particles });
        expect(found.method).toMatch(new RegExp(`annealed importance sampling: ${particles} runs over \\d+ temperatures`));
        expect(found.error).toBeGreaterThan(0);
        expect(found.count).toBe(exact.count);
        expect(Object.keys(found.certificate)[0]).toMatch(/interval|khat|none/);
        const off = Math.abs(found.value - exact.value) / found.error;
        if ("interval" in found.certificate) {
          const [from, to] = found.certificate.interval as readonly [number, number];
          expect(from).toBeLessThan(found.value);
          expect(to - from).toBeGreaterThan(2 * found.error);
          if (off < 2) expect(from <= exact.value && exact.value <= to).toBe(true);
        }
        squares.push(off * off);
        count++;
        if (off > 2) beyond2++;
        if (off > 4) beyond4++;
      }
    }
    const mean = squares.reduce((a, b) => a + b) / count;
    console.log(
      `of ${count} estimates ${beyond2} are off by more than 2 standard errors, ${beyond4} by more than 4; mean square ${mean.toFixed(2)}`,
    );
    // 5 % are beyond 2, and the limit is reached with a probability of 1e-4. The mean square is 1 with a deviation of
    // √(2/count), and not far below 1 unless errors are inflated.
    const deviation = Math.sqrt(2 / count);
    expect(beyond4).toBe(0);
    expect(beyond2).toBeLessThan(binomialLimit(count, 0.05, 1e-4));
    expect(mean).toBeGreaterThan(1 - 3 * deviation);
    expect(mean).toBeLessThan(1 + 4.5 * deviation);
  });

  it("refuses meaningless options", async () => {
    const learned = await learn(smallWorld(1, { copies: 2 }), 0);
    await expect(learned.likelihood({ of: "heldOut" })).rejects.toThrow(/nothing was held out.*\[OPTION_CONFLICT\]/);
    await expect(learned.likelihood({ of: "all" as never })).rejects.toThrow(/\[OPTION_RANGE\]/);
    await expect(learned.likelihood({ particles: 5 })).rejects.toThrow(/particles is 5.*\[OPTION_RANGE\]/);
    await expect(learned.likelihood({ second: 5 } as never)).rejects.toThrow(/did you mean "seconds".*\[OPTION_UNKNOWN\]/);
    expect(inferenceFromJson({ algorithm: "automatic" }).toJSON()).toEqual({ algorithm: "automatic" });
  });
});
