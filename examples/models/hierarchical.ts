/**
 * Varying intercepts and slopes: how fast do children grow, and how much do their starts and speeds differ and go together?
 *
 *   y_i ~ N(a_g + b_g t_i, σ), g = group of i;  (a_g, b_g) ~ N(μ, diag(τ) Ω diag(τ))
 *   μ ~ N(0, 5), τ ~ half-N(2), Ω ~ LKJ(2), σ ~ half-N(1)
 *
 * group: [N], from 0. Effects: [G, 2], intercept and slope; drawn by the Cholesky factor diag(τ) L of their covariance, L Lᵀ = Ω, and not centred.
 * Data: simulated, 25 children seen 6 times each, by the numbers in `truth`.
 *
 * Run: ergodic example hierarchical
 */
import { fileURLToPath } from "node:url";
import {
  type Draws,
  halfNormal,
  integer,
  model,
  multivariateNormalCholesky,
  normal,
  type SampleOptions,
  sample,
  stream,
  summaryTable,
  vector,
} from "ergodic";
import { add, at, mul, reshape, take } from "ergodic/compiler";
import { lkjCholesky } from "ergodic/distributions";

export const truth = { "mu[1]": 3, "mu[2]": 1.5, "tau[1]": 1, "tau[2]": 0.5, sigma: 0.4, correlation: 0.4 };

function simulate(): { group: number[]; t: number[]; y: number[]; G: number } {
  const draws = stream(1, "hierarchical").at(0);
  const [G, times] = [25, [-1, -0.6, -0.2, 0.2, 0.6, 1]];
  const rows = Array.from({ length: G }, (_, group) => {
    const [z, w] = [draws.normal(), draws.normal()];
    const { correlation: r } = truth;
    const a = truth["mu[1]"] + truth["tau[1]"] * z;
    const b = truth["mu[2]"] + truth["tau[2]"] * (r * z + Math.sqrt(1 - r * r) * w);
    return times.map((t) => ({ group, t, y: a + b * t + truth.sigma * draws.normal() }));
  }).flat();
  return { group: rows.map(({ group }) => group), t: rows.map(({ t }) => t), y: rows.map(({ y }) => y), G };
}
export const data = simulate();

const growth = model(
  ({ data, param, observe, generated }) => {
    const { group, t, y, G } = data({ group: vector("N"), t: vector("N"), y: vector("N"), G: integer() });
    const mu = param("mu", normal(0, 5), { shape: 2 });
    const tau = param("tau", halfNormal(2), { shape: 2 });
    const correlation = param("L", lkjCholesky(2, 2));
    const factor = mul(reshape(tau, [2, 1]), correlation);
    const effects = param("effects", multivariateNormalCholesky(mu, factor), { shape: G, centred: false });
    const sigma = param("sigma", halfNormal(1));
    const own = take(effects, group);
    observe(y, normal(add(at(own, 0, 1), mul(at(own, 1, 1), t)), sigma));
    generated("correlation", at(at(correlation, 1), 0));
  },
  { name: "growth" },
);
export default growth;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(growth, data, { seed: 1, ...options });
  print(summaryTable(posterior.summary({ of: ["mu", "tau", "sigma", "correlation"] })));
  const { "mu[2]": speed, "tau[2]": spread, correlation } = posterior.summary();
  print(`Children grow by ${speed.mean.toFixed(2)} a year on average, from one to another by ± ${spread.mean.toFixed(2)}.`);
  print(
    `Those who start taller grow ${correlation.mean > 0 ? "faster" : "more slowly"}: correlation ${correlation.mean.toFixed(2)} ± ${correlation.sd.toFixed(2)}.`,
  );
  print(`${posterior.verdict()}`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
