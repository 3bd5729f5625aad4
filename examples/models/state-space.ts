/**
 * A state space: stochastic volatility. How restless was a market on each day, and how long does unrest last?
 *
 *   y_t ~ N(0, exp(h_t / 2)), h_t = μ + φ (h_{t−1} − μ) + σ z_t, h_1 = μ + σ z_1 / √(1 − φ²), z_t ~ N(0, 1)
 *   μ ~ N(0, 2), φ ~ 2 Beta(20, 1.5) − 1, σ ~ half-N(0.5)
 *
 * y: a day's return in per cent. h: log variance. What moves is z, the shocks (not centred); h comes from them in a loop of the compiled program.
 * Data: simulated, 200 days, by the numbers in `truth`.
 *
 * Run: node examples/models/state-space.ts   (Node 22.18 or later)
 */
import { fileURLToPath } from "node:url";
import { beta, type Draws, halfNormal, model, normal, nuts, type SampleOptions, sample, stream, vector } from "ergodic";
import { add, at, concatenate, div, exp, mul, reshape, scan, slice, sqrt, square, sub } from "ergodic/compiler";

export const truth = { mu: 0.5, phi: 0.95, sigma: 0.3 };

function simulate(): { y: number[]; h: number[] } {
  const draws = stream(1, "state space").at(0);
  const { mu, phi, sigma } = truth;
  const h = [mu + (sigma * draws.normal()) / Math.sqrt(1 - phi * phi)];
  while (h.length < 200) h.push(mu + phi * (h[h.length - 1] - mu) + sigma * draws.normal());
  return { y: h.map((log) => Math.exp(log / 2) * draws.normal()), h };
}
export const data = simulate();

const volatility = model(
  ({ data, param, observe, transformed }) => {
    const { y } = data({ y: vector("T") });
    const mu = param("mu", normal(0, 2));
    const phi = transformed("phi", sub(mul(2, param("persistence", beta(20, 1.5))), 1));
    const sigma = param("sigma", halfNormal(0.5));
    const z = param("z", normal(0, 1), { shape: "T" });
    const start = div(mul(sigma, at(z, 0)), sqrt(sub(1, square(phi))));
    const { outputs } = scan([start], [slice(z, { from: 1 })], ([before], [shock]) => {
      const now = add(mul(phi, before), mul(sigma, shock));
      return [[now], [now]];
    });
    const h = transformed("h", add(mu, concatenate([reshape(start, [1]), outputs[0]])));
    observe(y, normal(0, exp(div(h, 2))));
  },
  { name: "stochastic volatility" },
);
export default volatility;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  // The nearer φ is to 1, the less the data say of μ: the posterior has a narrow end.
  const posterior = await sample(volatility, data, { seed: 1, algorithm: nuts({ targetAcceptance: 0.95 }), ...options });
  const { phi } = posterior.summary({ of: ["phi"] });
  const h = Object.values(posterior.summary({ of: ["h"] })).map(({ mean }) => mean);
  const wildest = h.indexOf(Math.max(...h));
  const halfLife = Math.log(0.5) / Math.log(phi.quantiles.q50);
  print(
    `Unrest halves in ${halfLife.toFixed(0)} days. Day ${wildest + 1} was the wildest: returns of ± ${Math.exp(h[wildest] / 2).toFixed(1)} %.`,
  );
  print(`${posterior.verdict()}`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
