/**
 * A hidden Markov model: an animal rests or roams; only how far it moved each hour was seen. When did it do what?
 *
 *   z_1 ~ uniform, z_t | z_{t−1} = i ~ Categorical(A_i), y_t | z_t = k ~ N(μ_k, σ);
 *   A_i ~ Dirichlet, favouring to stay; μ ~ N(2, 2) in ascending order, σ ~ half-N(1)
 *
 * The states are summed out by the forward recursion; P(z_t = k | y) comes from it and its backward half.
 * Data: simulated, 200 hours, by the numbers in `truth`; `states` are those it went through.
 *
 * Run: ergodic example hidden-markov
 */
import { fileURLToPath } from "node:url";
import {
  type Draws,
  dirichlet,
  halfNormal,
  hiddenMarkov,
  model,
  normal,
  type SampleOptions,
  sample,
  stream,
  vector,
} from "ergodic";
import { at } from "ergodic/compiler";

export const truth = { "A[1,1]": 0.9, "A[2,2]": 0.8, "mu[1]": 1, "mu[2]": 3, sigma: 0.7 };

function simulate(): { y: number[]; states: number[] } {
  const draws = stream(1, "hidden markov").at(0);
  const states: number[] = [];
  for (let t = 0, state = 0; t < 200; t++) {
    states.push(state);
    const stays = draws.uniform() < (state === 0 ? truth["A[1,1]"] : truth["A[2,2]"]);
    state = stays ? state : 1 - state;
  }
  const y = states.map((state) => (state === 0 ? truth["mu[1]"] : truth["mu[2]"]) + truth.sigma * draws.normal());
  return { y, states };
}
export const data = simulate();

const animal = model(
  ({ data, param, marginalise, generated }) => {
    const { y } = data({ y: vector("T") });
    const A = param(
      "A",
      dirichlet([
        [8, 2],
        [2, 8],
      ]),
    );
    const mu = param("mu", normal(2, 2), { shape: 2, constraint: "ordered" });
    const sigma = param("sigma", halfNormal(1));
    const z = marginalise(hiddenMarkov([0.5, 0.5], A), (k) => normal(at(mu, k), sigma), { value: y });
    generated("roams", at(z.probabilities, 1, 1));
  },
  { name: "hidden markov" },
);
export default animal;

/** The likelier state of each hour. */
export const likelierStates = (posterior: Draws): number[] =>
  Object.values(posterior.summary({ of: ["roams"] })).map(({ mean }) => Number(mean > 0.5));

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(animal, data, { seed: 1, ...options });
  const { "A[1,1]": resting, "A[2,2]": roaming } = posterior.summary({ of: ["A"] });
  const guessed = likelierStates(posterior);
  const right = guessed.filter((state, t) => state === data.states[t]).length;
  print(`Resting lasts ${(1 / (1 - resting.mean)).toFixed(0)} hours, roaming ${(1 / (1 - roaming.mean)).toFixed(0)}.`);
  print(`The likelier state was the true one in ${right} of ${guessed.length} hours.`);
  print(`${posterior.verdict()}`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
