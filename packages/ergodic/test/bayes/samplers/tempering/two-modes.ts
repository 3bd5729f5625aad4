/**
 * A posterior with two distant modes and known moments. Both coordinates have the prior N(0, 10²). The likelihood of x₀
 * is a mixture of N(−6, 1) and N(9, 1), and that of x₁ is N(1, 1).
 */
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import type { Functional, Target } from "../exactness.ts";
import { compiled, densityOf, exactTarget, temperedOf } from "../gibbs/compiled.ts";

const source = `
import { exp } from "./exp";
import { log } from "./log";
/** model: β, log likelihood (out), the share of the first mode. */
export function twoModes(model: usize, x: usize, g: usize): f64 {
  const power = load<f64>(model), share = load<f64>(model, 16);
  const a = load<f64>(x), b = load<f64>(x, 8);
  const left = log(share) - 0.5 * (a + 6) * (a + 6), right = log(1 - share) - 0.5 * (a - 9) * (a - 9);
  const top = max(left, right);
  const total = exp(left - top) + exp(right - top);
  const p = exp(left - top) / total;
  const likelihood = top + log(total) - 0.5 * (b - 1) * (b - 1) - 1.8378770664093453;
  store<f64>(model, likelihood, 8);
  store<f64>(g, -a / 100 + power * (0 - p * (a + 6) - (1 - p) * (a - 9)));
  store<f64>(g, -b / 100 - power * (b - 1), 8);
  return (-a * a - b * b) / 200 + power * likelihood;
}
`;

export const SHARE = 0.3;

export async function twoModes(
  engine: Engine,
): Promise<{ tempered: LogDensity; whole: LogDensity; evidence: number; target: Target }> {
  const { slot } = (await compiled(engine, source, ["twoModes"])).twoModes;
  const drawPrior: LogDensity["drawPrior"] = (draws) => Float64Array.of(10 * draws.normal(), 10 * draws.normal());
  const tempered = temperedOf(engine, slot, [SHARE], { dimension: 2, drawPrior });
  const whole = densityOf(engine, slot, [1, 0, SHARE], { dimension: 2 });
  // Each component times the prior is normal with mean m/1.01, variance 1/1.01 and mass N(m; 0, 101).
  const mass = (m: number) => Math.exp((-m * m) / 202) / Math.sqrt(2 * Math.PI * 101);
  const [left, right] = [SHARE * mass(-6), (1 - SHARE) * mass(9)];
  const p = left / (left + right);
  const [means, v] = [[-6 / 1.01, 9 / 1.01], 1 / 1.01];
  const moment = (of: (mean: number) => number) => p * of(means[0]) + (1 - p) * of(means[1]);
  const mean = moment((m) => m);
  const second = moment((m) => m * m + v);
  const fourth = moment((m) => m ** 4 + 6 * m * m * v + 3 * v * v);
  const functionals: Functional[] = [
    { name: "left", of: (x) => (x[0] < 0 ? 1 : 0), expectation: p, variance: p * (1 - p) },
    { name: "x0", of: (x) => x[0], expectation: mean, variance: second - mean ** 2 },
    { name: "x0²", of: (x) => x[0] ** 2, expectation: second, variance: fourth - second ** 2 },
    { name: "x1", of: (x) => x[1], expectation: 1 / 1.01, variance: v },
    { name: "x1 spread", of: (x) => (x[1] - 1 / 1.01) ** 2, expectation: v, variance: 2 * v * v },
  ];
  const evidence = Math.log(left + right) + Math.log(mass(1));
  return { tempered, whole, evidence, target: exactTarget("two modes", 2, functionals) };
}
