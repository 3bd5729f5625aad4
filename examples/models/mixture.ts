/**
 * A mixture of three normals: which kinds of star are there, how many of each, and of which kind is this one?
 *
 *   z_i ~ Categorical(w), y_i | z_i = k ~ N(μ_k, σ_k);  w ~ Dirichlet(2, 2, 2), μ ~ N(0, 5) in ascending order, σ ~ log-normal(0, 0.5) below 2
 *
 * Each z is summed out, so that what is sampled is continuous. The order gives the kinds their names: without it they could be swapped. No kind is
 * wider than 2: were that left open, one broad kind could stand for two, a second mode that chains do not leave.
 * Data: simulated, 240 measurements, by the numbers in `truth`.
 *
 * Run: ergodic example mixture
 */
import { fileURLToPath } from "node:url";
import {
  categorical,
  type Draws,
  dirichlet,
  lognormal,
  model,
  normal,
  type SampleOptions,
  sample,
  stream,
  vector,
} from "ergodic";
import { at } from "ergodic/compiler";

const [weights, means, sds] = [
  [0.5, 0.3, 0.2],
  [-4, 0, 5],
  [1, 0.7, 1.2],
];
export const truth = Object.fromEntries(
  Object.entries({ w: weights, mu: means, sigma: sds }).flatMap(([name, list]) => list.map((v, k) => [`${name}[${k + 1}]`, v])),
);

function simulate(): { y: number[] } {
  const draws = stream(1, "mixture").at(0);
  const y = Array.from({ length: 240 }, () => {
    const u = draws.uniform();
    const k = u < weights[0] ? 0 : u < weights[0] + weights[1] ? 1 : 2;
    return means[k] + sds[k] * draws.normal();
  });
  return { y };
}
export const data = simulate();

const stars = model(
  ({ data, param, marginalise, generated }) => {
    const { y } = data({ y: vector("N") });
    const w = param("w", dirichlet([2, 2, 2]));
    const mu = param("mu", normal(0, 5), { shape: 3, constraint: "ordered" });
    const sigma = param("sigma", lognormal(0, 0.5), { shape: 3, upper: 2 });
    const z = marginalise(categorical(w), (k) => normal(at(mu, k), at(sigma, k)), { value: y });
    generated("kindOfFirst", at(z.probabilities, 0));
  },
  { name: "mixture" },
);
export default stars;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(stars, data, { seed: 1, ...options });
  const rows = posterior.summary();
  print(`${posterior}`);
  for (const k of [1, 2, 3]) {
    const share = (100 * rows[`w[${k}]`].mean).toFixed(0);
    print(`Kind ${k}: ${share} % of all, around ${rows[`mu[${k}]`].mean.toFixed(1)} ± ${rows[`sigma[${k}]`].mean.toFixed(1)}.`);
  }
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
