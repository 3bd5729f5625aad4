/**
 * Adam is momentum and RMSProp at once: its m is momentum's mean of gradients, its v is RMSProp's mean of squares, and its step is the one
 * over the root of the other. Here the library's two rules run side by side on Adam's gradients, and their states give Adam's step:
 *
 *   momentum     u ← β₁ u + g                so that (1 − β₁) u = m
 *   RMSProp      r ← β₂ r + (1 − β₂) g²      r = v
 *   Adam         p ← p − η m/(√v + ε)        without bias correction
 *
 * What Adam adds is the correction of the start: m and v begin at 0, which makes the first steps (1 − β₁)/√(1 − β₂) = 3.2 times too long.
 * Not the same is `rmsprop({ momentum })`: there the momentum is of steps, g/√r, not of gradients.
 *
 * Run: ergodic example adam-is-both
 */
import { fileURLToPath } from "node:url";
import { adam, momentum, RuleRunner, rmsprop } from "ergodic";

const COUNT = 100;
const UPDATES = 1000;
const RATE = 0.01;
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** The slope of Σ h_i (x_i − i/10)²/2, curvatures from 1 to 100. */
function slope(x: ArrayLike<number>): number[] {
  return Array.from(x, (xi, i) => (i + 1) * (xi - i / 10));
}

export interface Comparison {
  update: number;
  /** The largest difference of a coordinate between the two rules together and Adam, without and with its corrections, and RMSProp with momentum. */
  plain: number;
  corrected: number;
  ofSteps: number;
}

export async function main(print: (line: string) => void = console.log): Promise<Comparison[]> {
  const open = (rule: Parameters<typeof RuleRunner.open>[0]) => RuleRunner.open(rule, { count: COUNT });
  const first = await open(momentum({ rate: 1, momentum: BETA1 }));
  const second = await open(rmsprop({ rho: BETA2, epsilon: EPSILON }));
  const options = { rate: RATE, beta1: BETA1, beta2: BETA2, epsilon: EPSILON };
  const adams = [
    await open(adam({ ...options, biasCorrection: false })),
    await open(adam(options)),
    await open(rmsprop({ rate: RATE * (1 - BETA1), rho: BETA2, epsilon: EPSILON, momentum: BETA1 })),
  ];
  const step = (runner: RuleRunner, gradient: readonly number[]): void => {
    runner.gradient().set(gradient);
    runner.step(0);
  };

  const both = new Float64Array(COUNT);
  const rows: Comparison[] = [];
  print("updates   without correction   with correction   rmsprop({ momentum })");
  for (let update = 1; update <= UPDATES; update++) {
    const gradient = slope(both);
    step(first, gradient);
    step(second, gradient);
    const [u, r] = [first.vector("v"), second.vector("r")];
    for (let i = 0; i < COUNT; i++) both[i] -= (RATE * (1 - BETA1) * u[i]) / (Math.sqrt(r[i]) + EPSILON);
    for (const runner of adams) step(runner, slope(runner.parameters()));
    if (![1, 10, 100, 1000].includes(update)) continue;
    const [plain, corrected, ofSteps] = adams.map((runner) => {
      const p = runner.parameters();
      return Math.max(...both.map((x, i) => Math.abs(x - p[i])));
    });
    rows.push({ update, plain, corrected, ofSteps });
    const cell = (difference: number, width: number): string => difference.toExponential(1).padStart(width);
    print(`${String(update).padStart(7)}${cell(plain, 21)}${cell(corrected, 18)}${cell(ofSteps, 24)}`);
  }
  for (const runner of [first, second, ...adams]) runner.dispose();
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
