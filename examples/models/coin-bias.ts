/**
 * A coin's bias: what is its chance of heads, after 20 flips, and is it biased towards heads?
 *
 *   y_i ~ Bernoulli(p), p ~ Beta(2, 2)
 *
 * The posterior is Beta(2 + heads, 2 + tails): an answer to check draws against.
 * Data: made up, 14 heads of 20.
 *
 * Run: ergodic example coin-bias
 */
import { fileURLToPath } from "node:url";
import { bernoulli, beta, type Draws, model, type SampleOptions, sample, vector } from "ergodic";
import { less } from "ergodic/compiler";

export const data = { flips: [1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 1] };

const coin = model(
  ({ data, param, observe, generated }) => {
    const { flips } = data({ flips: vector("N") });
    const p = param("p", beta(2, 2));
    observe(flips, bernoulli(p));
    generated("favoursHeads", less(0.5, p));
  },
  { name: "coin" },
);
export default coin;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(coin, data, { seed: 1, ...options });
  const { p, favoursHeads } = posterior.summary();
  print(`${posterior}`);
  print(
    `Heads comes up with probability ${p.mean.toFixed(2)} (90 %: ${p.quantiles.q5.toFixed(2)} to ${p.quantiles.q95.toFixed(2)}).`,
  );
  print(`The coin favours heads with probability ${favoursHeads.mean.toFixed(2)}.`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
