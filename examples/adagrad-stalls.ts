/**
 * AdaGrad's step can only shrink: it divides by the root of *all* past squares. On a non-convex slope with steep stretches, and a gentle
 * bowl below, it arrives with a memory full of cliffs and crawls. RMSProp, the same but for forgetting, goes on.
 *
 *   f(x) = Σ_{k=1}^{8} 20 σ(−6 (x + k)) + 0.05 (x − 10)²     a staircase down from x = −9, then a bowl with its bottom at 10
 *
 * Run: ergodic example adagrad-stalls
 */
import { fileURLToPath } from "node:url";
import { adagrad, RuleRunner, rmsprop } from "ergodic";

const STAIRS = 8;
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function height(x: number): number {
  let f = 0.05 * (x - 10) ** 2;
  for (let k = 1; k <= STAIRS; k++) f += 20 * sigmoid(-6 * (x + k));
  return f;
}

export function slope(x: number): number {
  let g = 0.1 * (x - 10);
  for (let k = 1; k <= STAIRS; k++) {
    const s = sigmoid(-6 * (x + k));
    g -= 120 * s * (1 - s);
  }
  return g;
}

export interface Walk {
  /** x after 0, 1, 2, … updates. */
  x: number[];
  /** What multiplied the gradient at each update: η/(√r + ε), from the rule's memory r. Once x stands still, what x moved by would say 0. */
  effectiveRate: number[];
}

type Remembering = ReturnType<typeof adagrad | typeof rmsprop>;

export async function walk(rule: Remembering, updates: number): Promise<Walk> {
  const { rate, epsilon } = rule.options;
  const runner = await RuleRunner.open(rule, { count: 1, start: [-9] });
  const x = [-9];
  const effectiveRate: number[] = [];
  for (let t = 0; t < updates; t++) {
    const before = x[t];
    runner.gradient()[0] = slope(before);
    runner.step(height(before));
    x.push(runner.parameters()[0]);
    effectiveRate.push(Number(rate) / (Math.sqrt(runner.vector("r")[0]) + Number(epsilon)));
  }
  runner.dispose();
  return { x, effectiveRate };
}

export async function main(print: (line: string) => void = console.log): Promise<{ adagrad: Walk; rmsprop: Walk }> {
  const walks = {
    adagrad: await walk(adagrad({ rate: 0.3 }), 3000),
    rmsprop: await walk(rmsprop({ rate: 0.3, rho: 0.9 }), 3000),
  };
  print("updates      AdaGrad x  (rate in force)      RMSProp x  (rate in force)");
  for (const t of [1, 10, 100, 300, 1000, 3000]) {
    const cell = ({ x, effectiveRate }: Walk) =>
      `${x[t].toFixed(3).padStart(15)}  ${effectiveRate[t - 1].toExponential(1).padStart(14)}`;
    print(`${String(t).padStart(7)}${cell(walks.adagrad)}${cell(walks.rmsprop)}`);
  }
  print("the bottom is at x = 10");
  return walks;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
