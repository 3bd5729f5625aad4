/**
 * Eight schools: does coaching for an admission test help, and does it help more in some schools than in others?
 *
 *   y_j ~ N(θ_j, σ_j), θ_j ~ N(μ, τ), μ ~ N(0, 5), τ ~ half-Cauchy(5)
 *
 * y: points gained in each school, σ: their standard errors, from a separate experiment in each. θ is not centred: where τ is small its scale is τ's,
 * a funnel that trajectories with steps of one length cannot enter.
 * Data: Rubin 1981, Estimation in parallel randomized experiments, table 1.
 *
 * Run: ergodic example eight-schools
 */
import { fileURLToPath } from "node:url";
import { type Draws, halfCauchy, model, normal, type SampleOptions, sample, vector } from "ergodic";
import { at, less } from "ergodic/compiler";

export const data = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };

const eightSchools = model(
  { y: vector("J"), sigma: vector("J") },
  ({ y, sigma, param, observe }) => {
    const mu = param("mu", normal(0, 5));
    const tau = param("tau", halfCauchy(5));
    const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
    observe(y, normal(theta, sigma));
    return { mu, tau, theta, firstBeatsThird: less(at(theta, 2), at(theta, 0)) };
  },
  { name: "eight schools" },
);
export default eightSchools;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(eightSchools, data, { seed: 1, ...options });
  const { mu, tau, firstBeatsThird } = posterior.summary();
  print(`${posterior}`);
  print(
    `Coaching gains about ${mu.mean.toFixed(1)} points (± ${mu.sd.toFixed(1)}); schools differ by about ${tau.quantiles.q50.toFixed(1)}.`,
  );
  print(
    `School A gains more than school C with probability ${firstBeatsThird.mean.toFixed(2)}, far from the 31 points between their means.`,
  );
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
