/**
 * Logistic regression: how do age and a treatment change the odds of recovery?
 *
 *   y_i ~ Bernoulli(1 / (1 + exp(−η_i))), η = α + Xβ, α ~ N(0, 2), β ~ N(0, 2)
 *
 * X: [N, 2], age in decades from 50 and 0 or 1 for the treatment. exp β is the factor on the odds.
 * Data: simulated, 300 patients, by the numbers in `truth`.
 *
 * Run: ergodic example logistic-regression
 */
import { fileURLToPath } from "node:url";
import { type Draws, matrix, model, normal, type SampleOptions, sample, stream, vector } from "ergodic";
import { exp } from "ergodic/compiler";
import { bernoulliLogitGlm } from "ergodic/distributions";

export const truth = { alpha: 0.5, "beta[1]": -0.8, "beta[2]": 1.2 };

function simulate(): { x: number[][]; y: number[] } {
  const draws = stream(1, "logistic regression").at(0);
  const x = Array.from({ length: 300 }, (_, i) => [1.5 * draws.normal(), i % 2]);
  const y = x.map(([age, treated]) => {
    const eta = truth.alpha + truth["beta[1]"] * age + truth["beta[2]"] * treated;
    return Number(draws.uniform() < 1 / (1 + Math.exp(-eta)));
  });
  return { x, y };
}
export const data = simulate();

const recovery = model(
  ({ data, param, observe, generated }) => {
    const { x, y } = data({ x: matrix("N", "K"), y: vector("N") });
    const alpha = param("alpha", normal(0, 2));
    const beta = param("beta", normal(0, 2), { shape: "K" });
    observe(y, bernoulliLogitGlm(x, alpha, beta));
    generated("oddsFactor", exp(beta));
  },
  { name: "logistic regression" },
);
export default recovery;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(recovery, data, { seed: 1, ...options });
  print(`${posterior}`);
  const { q5, q50, q95 } = posterior.summary()["oddsFactor[2]"].quantiles;
  print(`Treatment multiplies the odds of recovery by ${q50.toFixed(1)} (90 %: ${q5.toFixed(1)} to ${q95.toFixed(1)}).`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
