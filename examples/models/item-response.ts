/**
 * Item response, two parameters: how able is each pupil, and how hard and how telling is each question?
 *
 *   y_pi ~ Bernoulli(1 / (1 + exp(−a_i (θ_p − b_i))));  θ ~ N(0, 1), a ~ log-normal(0, 0.5), b ~ N(0, 1.5)
 *
 * y: [P, I], right answers. θ: ability, whose scale its prior fixes; b: difficulty, the ability at which half answer rightly; a: discrimination, the
 * slope there.
 * Data: simulated, 120 pupils and 8 questions, by the numbers in `truth`.
 *
 * Run: ergodic example item-response
 */
import { fileURLToPath } from "node:url";
import { type Draws, lognormal, matrix, model, normal, type SampleOptions, sample, stream } from "ergodic";
import { mul, reshape, sub } from "ergodic/compiler";
import { bernoulliLogit } from "ergodic/distributions";

const slopes = [0.8, 1.2, 1.6, 1, 2, 0.7, 1.4, 1.1];
const difficulties = [-1.5, -1, -0.5, 0, 0.2, 0.6, 1, 1.5];
export const truth = Object.fromEntries([
  ...slopes.map((a, i) => [`a[${i + 1}]`, a]),
  ...difficulties.map((b, i) => [`b[${i + 1}]`, b]),
]);

function simulate(): { y: number[][] } {
  const draws = stream(1, "item response").at(0);
  const y = Array.from({ length: 120 }, () => {
    const theta = draws.normal();
    return slopes.map((a, i) => Number(draws.uniform() < 1 / (1 + Math.exp(-a * (theta - difficulties[i])))));
  });
  return { y };
}
export const data = simulate();

const examination = model(
  ({ data, param, observe, size }) => {
    const { y } = data({ y: matrix("P", "I") });
    const theta = param("theta", normal(0, 1), { shape: "P" });
    const a = param("a", lognormal(0, 0.5), { shape: "I" });
    const b = param("b", normal(0, 1.5), { shape: "I" });
    observe(y, bernoulliLogit(mul(a, sub(reshape(theta, [size("P"), 1]), b))));
  },
  { name: "item response" },
);
export default examination;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(examination, data, { seed: 1, ...options });
  const rows = posterior.summary({ of: ["a", "b"] });
  for (const i of slopes.keys()) {
    const [a, b] = [rows[`a[${i + 1}]`], rows[`b[${i + 1}]`]];
    print(
      `Question ${i + 1}: difficulty ${b.mean.toFixed(1)} ± ${b.sd.toFixed(1)}, discrimination ${a.mean.toFixed(1)} ± ${a.sd.toFixed(1)}`,
    );
  }
  print(`${posterior.verdict()}`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
