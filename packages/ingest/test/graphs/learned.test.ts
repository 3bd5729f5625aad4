/**
 * The graphs on which DimmWitted is tested. Weights and probabilities lie within a tenth of the tolerance of its tests.
 * `npm test` uses exact gradients and exact probabilities, which show that the graphs are read as they were written.
 * test:slow also learns by contrastive divergence and samples, as DimmWitted does.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { adam, contrastiveDivergence, fit, graphGibbs, infer, inverseTimeDecay } from "ergodic";
import { exactLikelihood, type LearnedGraph } from "ergodic/graphs";
import { describe, expect, it } from "vitest";
import { isSlow } from "../../../ergodic/test/power.ts";
import { readDimmWitted } from "../../src/graphs/index.ts";

const folder = fileURLToPath(new URL("../../../../../shared/data/graphs/dimmwitted/", import.meta.url));
const present = existsSync(folder);
if (!present) console.log(`skipped: graphs of DimmWitted, since there is no ${folder}`);

const learn = async (name: string): Promise<LearnedGraph> => {
  const graph = await readDimmWitted(`${folder}${name}/`);
  const rule = adam({ rate: inverseTimeDecay({ rate: 0.1, decay: 0.02 }) });
  return isSlow
    ? await fit(graph, { algorithm: contrastiveDivergence({ particles: 400 }), rule, epochs: 800 })
    : await fit(graph, { algorithm: exactLikelihood(), rule, epochs: 150 });
};

/** Probabilities by elimination, and in test:slow also by Gibbs sampling. */
async function probabilities({ graph }: LearnedGraph, variable: string): Promise<(readonly number[])[]> {
  const answers = [await infer(graph)];
  if (isSlow) answers.push(await infer(graph, { algorithm: graphGibbs({ mcse: 0.001 }) }));
  return answers.map((answer) => answer.marginal(variable).p);
}

const near = (found: number, wanted: number, within: number): void => expect(Math.abs(found - wanted)).toBeLessThan(within);

describe.skipIf(!present)("weights that DimmWitted learns", () => {
  // The next test learns the same weight and its negative from the same coins.
  it.runIf(isSlow)("biased_coin has weight ln(8)/2 and P = 8/9", async () => {
    const learned = await learn("biased_coin");
    near(learned.weights[0], Math.log(8) / 2, 0.01);
    for (const p of await probabilities(learned, "x13")) near(p[1], 8 / 9, 0.003);
  });

  it("biased_coin_with_multinomial has weights of both signs", async () => {
    const learned = await learn("biased_coin_with_multinomial");
    near(learned.weights[0], -Math.log(8) / 2, 0.01);
    near(learned.weights[1], Math.log(8) / 2, 0.01);
    for (const p of await probabilities(learned, "x13")) near(p[1], 8 / 9, 0.003);
  });

  it("partial_observation has unbounded likelihood in both weights, and the learnt weights grow too", async () => {
    const graph = await readDimmWitted(`${folder}partial_observation/`);
    const exact = await fit(graph, { algorithm: exactLikelihood(), rule: adam({ rate: 0.1 }), epochs: 60 });
    const learned = await learn("partial_observation");
    for (const { weights } of [exact, learned]) for (const weight of weights) expect(weight).toBeGreaterThan(1.5);
    for (const name of ["x5", "x6", "x7"]) for (const p of await probabilities(learned, name)) expect(p[1]).toBeGreaterThan(0.99);
  });

  it("sparse_domains has weights from ln 1 to ln 4 and probabilities (value + 1)/10", async () => {
    const learned = await learn("sparse_domains");
    for (let value = 0; value < 4; value++) near(learned.weights[value] - learned.weights[0], Math.log(value + 1), 0.02);
    for (const name of ["x10", "x11", "x12", "x13"])
      for (const p of await probabilities(learned, name))
        for (const [value, chance] of p.entries()) near(chance, (value + 1) / 10, 0.004);
  });
});
