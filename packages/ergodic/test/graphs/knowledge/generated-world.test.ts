/**
 * A generated world with known truth. Learnt weights answer as well as the true ones, and a rule added late continues
 * from the earlier weights.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import { adam, type FactorGraph, fit, graphGibbs, infer, inverseTimeDecay } from "../../../src/entries/everything.ts";
import { Chain } from "../../../src/graphs/sampling/gibbs/chain.ts";
import { Layout } from "../../../src/graphs/sampling/gibbs/layout.ts";
import { sequential } from "../../../src/graphs/sampling/gibbs/schedules/sequential.ts";
import { power } from "../../power.ts";
import { generatedWorld, scores } from "./generated-world.ts";

const engine = await openEngine({ families: ["graphs"] });

async function draw(graph: FactorGraph): Promise<number[]> {
  const columns = graph.conditionals();
  const { order, stretches } = atOnce(sequential.visits(columns));
  const layout = Layout.of(columns, order, engine.memory);
  const chain = new Chain(layout, engine, stream(1, "truth"), 1);
  chain.begin(() => 0);
  await engine.run(chain.calls(stretches[0], sequential, 0, 2000, false, 1), { workers: 1, deterministic: false });
  const states = Array.from(layout.positions, (position) => chain.current[position]);
  chain.dispose();
  layout.dispose();
  return states;
}

const world = await generatedWorld(draw);
const algorithm = graphGibbs({ mcse: 0.03 });
const rule = (rate: number) => adam({ rate: inverseTimeDecay({ rate, decay: 0.05 }) });
const l2 = 5e-4;
const sweepsOf = ({ method }: { method: string }): number => Number(/chains of (\d+) sweeps/.exec(method)![1]);

describe("a generated world", () => {
  it("reaches F1 within 3 points of the true weights with calibrated probabilities, even if a rule is added late", async () => {
    const whole = world.open(true);
    const graph = whole.kb.ground();
    const oracle = scores(whole.kb, whole.queries, await infer(graph.withWeights(world.weightsOf(graph)), { algorithm }));
    const learned = await fit(graph, { rule: rule(0.1), epochs: power(150, 300), l2 });
    const found = scores(whole.kb, whole.queries, await infer(learned.graph, { algorithm }));

    const late = world.open(false);
    const small = late.kb.ground();
    const before = await fit(small, { rule: rule(0.1), epochs: power(150, 300), l2 });
    const first = await infer(before.graph, { algorithm });
    const factors = small.factorCount;
    late.kb.add(late.later);
    expect(late.kb.explain().rules.map(({ factors: more }) => more)).toEqual([0, 0, 0, 0, graph.factorCount - factors]);
    expect(late.kb.ground()).toBe(small);
    expect(small.factorCount).toBe(graph.factorCount);
    const again = await fit(small, { from: before, rule: rule(0.05), epochs: power(100, 200), l2 });
    const second = await infer(again.graph, { algorithm, from: first });
    const grown = scores(late.kb, late.queries, second);

    console.log(
      `F1 ${oracle.f1.toFixed(3)} by true weights, ${found.f1.toFixed(3)} learnt, ${grown.f1.toFixed(3)} with a rule that came late`,
    );
    console.log(`calibration errors ${[oracle, found, grown].map(({ calibration }) => calibration.toFixed(3)).join(", ")}`);
    expect(oracle.labels).toBeGreaterThan(1500);
    for (const { f1, calibration } of [found, grown]) {
      expect(f1).toBeGreaterThan(oracle.f1 - 0.03);
      // With correct probabilities, ten bins of 90 labels are off by 0.04 on average. 0.06 is 4 standard deviations
      // more.
      expect(calibration).toBeLessThan(0.06);
    }
    // The rule matters, and adding it late leads to the same result as learning it from the start.
    expect(scores(late.kb, late.queries, first).f1).toBeLessThan(oracle.f1);
    expect(Math.abs(again.weight("together") - learned.weight("together"))).toBeLessThan(0.15);
    expect(before.weights.length).toBe(again.weights.length - 1);
    const off = Array.from(again.weights, (w, id) => w - learned.weight(small.weightState(id).name!));
    expect(Math.hypot(...off) / Math.sqrt(off.length)).toBeLessThan(0.1);
    // The probabilities equal those of a run without an earlier answer.
    expect(sweepsOf(second)).toBeLessThan(sweepsOf(first) / 2);
    const anew = await infer(again.graph, { algorithm, seed: 1 });
    let [squares, count] = [0, 0];
    for (let v = 0; v < small.variableCount; v++) {
      const [a, b] = [second.marginal(v), anew.marginal(v)];
      if (!("mcse" in a.certificate && "mcse" in b.certificate)) continue;
      squares += (a.p[1] - b.p[1]) ** 2 / (a.certificate.mcse[1] ** 2 + b.certificate.mcse[1] ** 2);
      count++;
    }
    expect(count).toBeGreaterThan(800);
    // The mean square of normal errors is 1 ± 0.05, and more for dependent variables.
    expect(squares / count).toBeLessThan(1.3);
  });
});
