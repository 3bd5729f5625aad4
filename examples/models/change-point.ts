/**
 * A change point: when did accidents in British coal mines become rarer?
 *
 *   y_t ~ Poisson(early) before year s, Poisson(late) from it on;  early, late ~ Exponential(1), s uniform over the years
 *
 * s is summed out: log Σ_s P(s) p(y | s), all of the T terms from two cumulative sums. P(s | y) is a generated quantity.
 * Data: disasters with ten deaths or more in each year from 1851 to 1962; Jarrett 1979, as counted by Carlin, Gelfand and Smith 1992.
 *
 * Run: ergodic example change-point
 */
import { fileURLToPath } from "node:url";
import { categorical, type Draws, exponential, model, poisson, type SampleOptions, sample, vector } from "ergodic";
import { add, cumsum, full, sub, sum } from "ergodic/compiler";

export const FIRST_YEAR = 1851;
// Decade after decade.
const counts = [
  "4541043406 3340263354 5314415534 2522342132 2111130010 1100310322",
  "0111010100 0210001102 3311211112 4200014000 1000001001 01",
];
export const data = { counts: [...counts.join("").replaceAll(" ", "")].map(Number) };

const disasters = model(
  ({ data, param, marginalise, generated, size }) => {
    const { counts } = data({ counts: vector("T") });
    const early = param("early", exponential(1));
    const late = param("late", exponential(1));
    const [ofEarly, ofLate] = [early, late].map((rate) => poisson(rate).logDensity(counts));
    // The terms of all years t < s by the first rate, of all t >= s by the second.
    const before = sub(cumsum(ofEarly), ofEarly);
    const after = add(sub(sum(ofLate), cumsum(ofLate)), ofLate);
    const years = size("T");
    const s = marginalise(categorical(full(1 / years, [years])), add(before, after));
    generated("change", s.probabilities);
  },
  { name: "change point" },
);
export default disasters;

/** P(s | y) of each year. */
export const changeOf = (posterior: Draws): number[] =>
  Object.values(posterior.summary({ of: ["change"] })).map(({ mean }) => mean);

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(disasters, data, { seed: 1, ...options });
  const { early, late } = posterior.summary({ of: ["early", "late"] });
  const change = changeOf(posterior);
  const likeliest = change.indexOf(Math.max(...change));
  print(`Disasters fell from ${early.mean.toFixed(1)} to ${late.mean.toFixed(1)} a year.`);
  print(`The likeliest first year of fewer is ${FIRST_YEAR + likeliest} (probability ${change[likeliest].toFixed(2)}).`);
  print(`${posterior.verdict()}`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
