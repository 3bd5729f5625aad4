/**
 * Robust regression: what is the line through points a few of which are gross errors?
 *
 *   y_i ~ Student-t(ν, α + β x_i, σ);  ν ~ Gamma(2, 0.1), α, β ~ N(0, 5), σ ~ half-N(2)
 *
 * The tails of t grow heavier as ν falls, so that a far point costs little and pulls little.
 * Data: simulated, 60 points by the numbers in `truth`; six of them at large x are read 8 too low.
 *
 * Run: ergodic example robust-regression
 */
import { fileURLToPath } from "node:url";
import { type Draws, gamma, halfNormal, model, normal, type SampleOptions, sample, stream, student, vector } from "ergodic";
import { add, mul } from "ergodic/compiler";

export const truth = { alpha: 1, beta: 2 };
const NOISE = 0.5;

function simulate(): { x: number[]; y: number[] } {
  const draws = stream(1, "robust regression").at(0);
  const x = Array.from({ length: 60 }, (_, i) => (i - 29.5) / 15);
  const y = x.map((place, i) => truth.alpha + truth.beta * place + NOISE * draws.normal() - (i >= 40 && i % 3 === 0 ? 8 : 0));
  return { x, y };
}
export const data = simulate();

const line = model(
  ({ data, param, observe }) => {
    const { x, y } = data({ x: vector("N"), y: vector("N") });
    const alpha = param("alpha", normal(0, 5));
    const beta = param("beta", normal(0, 5));
    const sigma = param("sigma", halfNormal(2));
    const nu = param("nu", gamma(2, 0.1));
    observe(y, student(nu, add(alpha, mul(beta, x)), sigma));
  },
  { name: "robust regression" },
);
export default line;

/** The slope of least squares, for comparison. */
export function leastSquaresSlope({ x, y }: typeof data = data): number {
  const [mx, my] = [x, y].map((values) => values.reduce((a, b) => a + b) / values.length);
  const [xy, xx] = [y, x].map((other, k) => x.reduce((total, v, i) => total + (v - mx) * (other[i] - [my, mx][k]), 0));
  return xy / xx;
}

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(line, data, { seed: 1, ...options });
  const { beta } = posterior.summary();
  print(`${posterior}`);
  print(
    `The slope is ${beta.mean.toFixed(2)} ± ${beta.sd.toFixed(2)}; least squares would say ${leastSquaresSlope().toFixed(2)}.`,
  );
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
