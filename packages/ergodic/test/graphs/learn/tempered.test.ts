/**
 * Contrastive divergence with tempered chains, for the weights of graphs whose modes persistent chains do not leave.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import {
  adam,
  contrastiveDivergence,
  exactLikelihood,
  fit,
  inverseTimeDecay,
  learnerFromJson,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";
import { optimumOf, smallWorld, twoModes } from "./small-worlds.ts";

const engine = await openEngine({ families: ["graphs", "training"] });
const plan = { seed: 3, workers: 1, memory: 2 ** 28 };

describe("tempered contrastive divergence", () => {
  it("finds the optimum within 0.005 nats per variable when persistent chains are stuck in modes", async () => {
    const rule = adam({ rate: inverseTimeDecay({ rate: 0.05, decay: 0.1 }) });
    for (let seed = 0; seed < power(1, 3); seed++) {
      const { graph, loss } = twoModes(seed, { size: 12, copies: 20, truth: [0.03, 0.25] });
      const best = loss(optimumOf(loss, [0, 0])).value;
      const [stuck, tempered] = await Promise.all(
        [false, true].map(async (tempered) => {
          const { weights } = await fit(graph, {
            algorithm: contrastiveDivergence({ tempered }),
            rule,
            epochs: power(200, 500),
            seed,
          });
          return loss(weights).value - best;
        }),
      );
      console.log(`PCD ${stuck.toFixed(4)}, tempered ${tempered.toFixed(5)} nats a variable off`);
      expect(tempered).toBeLessThan(0.005);
      expect(stuck).toBeGreaterThan(0.005);
    }
  });

  it("the reference optimum is the exact likelihood's", async () => {
    const { graph, loss } = twoModes(2, { size: 6, copies: 4, truth: [0.1, 0.3] });
    const objective = exactLikelihood().objective(graph.conditionals(), plan, engine);
    const w = Float64Array.of(0.2, 0.4);
    const gradient = new Float64Array(2);
    const wanted = loss(w);
    expect(Math.abs((await objective.evaluateOnWorkers(w, gradient)) - wanted.value)).toBeLessThan(1e-10);
    gradient.forEach((g, i) => {
      expect(Math.abs(g - wanted.gradient[i])).toBeLessThan(1e-10);
    });
  });

  it("has the expected gradient at constant weights, with hidden variables and steps", async () => {
    const { graph, loss } = smallWorld(11, { copies: 6, hidden: 0.2 });
    const w = Float64Array.of(0.5, 1.1, -0.7, 0.9, -0.8);
    const wanted = loss(w).gradient;
    const algorithm = contrastiveDivergence({ steps: 2, particles: 20, tempered: { count: 4, lowest: 0.1, swapEvery: 2 } });
    const objective = algorithm.objective(graph.conditionals(), plan, engine);
    const blocks: number[][] = [];
    let update = 0;
    const gradient = new Float64Array(5);
    for (; update < 200; update++) objective.evaluate(w, gradient, update);
    const updates = power(40, 100);
    for (let block = 0; block < 20; block++) {
      const mean = [0, 0, 0, 0, 0];
      for (let k = 0; k < updates; k++) {
        objective.evaluate(w, gradient, update++);
        for (const i of mean.keys()) mean[i] += gradient[i] / updates;
      }
      blocks.push(mean);
    }
    objective.dispose();
    wanted.forEach((g, i) => {
      const mean = blocks.reduce((sum, one) => sum + one[i], 0) / 20;
      const error = Math.sqrt(blocks.reduce((sum, one) => sum + (one[i] - mean) ** 2, 0) / (19 * 20));
      // Student's t with 19 degrees of freedom: 5.5 has a probability of 2.6e-5, and 1.3e-4 for any of five.
      expect(Math.abs(mean - g) / error).toBeLessThan(5.5);
      expect(error).toBeLessThan(0.004);
    });
  });

  it("computes the same bytes at 1 and 2 workers and after a checkpoint, while powers are added", async () => {
    const { graph } = twoModes(1, { size: 10, copies: 6, truth: [0.05, 0.25] });
    const algorithm = contrastiveDivergence({ particles: 3, tempered: true });
    const rule = adam({ rate: 0.1 });
    const options = { algorithm, rule, epochs: 70, seed: 5 };
    const wanted = [...(await fit(graph, options)).weights];
    expect([...(await fit(graph, { ...options, workers: 2 })).weights]).toEqual(wanted);
    const before = engine.memory.usedBytes;
    for (const epochs of [1, 15, 16, 64]) {
      const run = fit(graph, { ...options, epochs });
      await run;
      const bytes = await run.checkpoint();
      expect([...(await fit.resume(bytes, graph, { epochs: 70, workers: 2 })).weights]).toEqual(wanted);
    }
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    const other = [...(await fit(graph, { ...options, algorithm: contrastiveDivergence({ particles: 3 }) })).weights];
    expect(other).not.toEqual(wanted);
  });

  it("keeps its powers while weights are small, and adds powers as they grow", () => {
    const { graph } = twoModes(1, { size: 10, copies: 6, truth: [0.05, 0.25] });
    const objective = contrastiveDivergence({ particles: 4, tempered: true }).objective(graph.conditionals(), plan, engine);
    const powers = (): number => objective.snapshot!().tensors["ladder.powers"].length;
    const gradient = new Float64Array(2);
    let update = 0;
    for (; update < 64; update++) objective.evaluate(Float64Array.of(0, 0.001), gradient, update);
    expect(powers()).toBe(8);
    for (; update < 512; update++) objective.evaluate(Float64Array.of(0.05, 0.5), gradient, update);
    expect(powers()).toBeGreaterThan(8);
    objective.dispose();
  });

  it("is rebuilt from JSON, and refuses chains that restart", () => {
    for (const tempered of [true, { count: 5, lowest: 0.2, swapEvery: 3 }, { temperatures: [1, 0.4] }]) {
      const json = JSON.parse(JSON.stringify(contrastiveDivergence({ steps: 2, tempered })));
      expect(learnerFromJson(json).toJSON()).toEqual(json);
      expect(json.tempered).toMatchObject({ swapEvery: 1, ...(tempered === true ? {} : tempered) });
    }
    expect(() => contrastiveDivergence({ persistent: false, tempered: true })).toThrow(
      /restart at the evidence.*\[OPTION_CONFLICT\]/,
    );
    expect(() => contrastiveDivergence({ tempered: { count: 0 } })).toThrow(/count is 0.*\[OPTION_RANGE\]/);
  });
});
