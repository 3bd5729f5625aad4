/**
 * Survival with censoring: do machines with the new bearing last longer, when many still ran as the trial ended?
 *
 *   t_i ~ Weibull(k, exp(α + β x_i));  of a machine that still ran at time t_i only P(T > t_i) is known
 *   k ~ log-normal(0, 0.5), α ~ N(0, 2), β ~ N(0, 1)
 *
 * t is 2 where a machine still ran. exp β: the factor on lifetimes.
 * Data: simulated, 160 machines watched for two years, by the numbers in `truth`.
 *
 * Run: ergodic example survival
 */
import { fileURLToPath } from "node:url";
import { censored, type Draws, lognormal, model, normal, type SampleOptions, sample, stream, vector, weibull } from "ergodic";
import { add, exp, mul } from "ergodic/compiler";

export const truth = { k: 1.5, alpha: 0.2, beta: 0.6 };
const END = 2;

function simulate(): { t: number[]; x: number[] } {
  const draws = stream(1, "survival").at(0);
  const x = Array.from({ length: 160 }, (_, i) => i % 2);
  const lives = x.map((renewed) => Math.exp(truth.alpha + truth.beta * renewed) * draws.exponential() ** (1 / truth.k));
  return { x, t: lives.map((life) => Math.min(life, END)) };
}
export const data = simulate();

const machines = model(
  ({ data, param, observe, generated }) => {
    const { t, x } = data({ t: vector("N", { lower: 0, upper: END }), x: vector("N") });
    const k = param("k", lognormal(0, 0.5));
    const alpha = param("alpha", normal(0, 2));
    const beta = param("beta", normal(0, 1));
    observe(t, censored(weibull(k, exp(add(alpha, mul(beta, x)))), { upper: END }));
    generated("factor", exp(beta));
  },
  { name: "survival" },
);
export default machines;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(machines, data, { seed: 1, ...options });
  print(`${posterior}`);
  const { q5, q50, q95 } = posterior.summary().factor.quantiles;
  const running = data.t.filter((t) => t === END).length;
  print(
    `${running} of ${data.t.length} machines still ran. The new bearing lasts ${q50.toFixed(1)} times as long (90 %: ${q5.toFixed(1)} to ${q95.toFixed(1)}).`,
  );
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
