/**
 * An A/B test: of two pages, which makes more visitors buy, and how sure is that?
 *
 *   bought_A ~ Binomial(visitors_A, p_A), bought_B ~ Binomial(visitors_B, p_B);  p_A, p_B ~ Beta(1, 1)
 *
 * P(p_B > p_A | data) is the mean of a generated quantity that is 1 where it holds.
 * Data: made up.
 *
 * Run: ergodic example ab-test
 */
import { fileURLToPath } from "node:url";
import { beta, binomial, type Draws, model, type SampleOptions, sample, vector } from "ergodic";
import { at, div, less, sub } from "ergodic/compiler";

export const data = { visitors: [1000, 1020], bought: [54, 75] };

const pages = model(
  ({ data, param, observe, generated }) => {
    const { visitors, bought } = data({ visitors: vector(2), bought: vector(2) });
    const p = param("p", beta(1, 1), { shape: 2 });
    observe(bought, binomial(visitors, p));
    const [a, b] = [at(p, 0), at(p, 1)];
    generated("bBeatsA", less(a, b));
    generated("lift", sub(div(b, a), 1));
  },
  { name: "A/B test" },
);
export default pages;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(pages, data, { seed: 1, ...options });
  const { bBeatsA, lift } = posterior.summary();
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  print(`${posterior}`);
  print(
    `B is better with probability ${bBeatsA.mean.toFixed(3)}; it sells ${percent(lift.mean)} more (90 %: ${percent(lift.quantiles.q5)} to ${percent(lift.quantiles.q95)}).`,
  );
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
