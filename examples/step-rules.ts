/**
 * Step rules side by side on three small problems: an ill-conditioned quadratic (condition number 1000), Rosenbrock's curved valley,
 * and a noisy problem, where each gradient is off by a random vector of length about 1. Printed: the height above the minimum after
 * 1000 updates, each rule at the best of five rates. Lower is better.
 *
 * Run: ergodic example step-rules
 */
import { fileURLToPath } from "node:url";
import { adagrad, adam, chain, inverseTimeDecay, momentum, RuleRunner, rmsprop, sgd, stream } from "ergodic";
import {
  adadelta,
  adamw,
  amsgrad,
  averaging,
  type EquationRule,
  lion,
  nadam,
  nesterov,
  polyak,
  polyakEstimated,
  prodigy,
  scheduleFreeAdam,
  scheduleFreeSgd,
} from "ergodic/rules";

interface Problem {
  name: string;
  start: number[];
  /** The loss to bring down; its least value is 0. */
  height(x: ArrayLike<number>): number;
  /** The loss of update t's draw; fills `g` with its gradient. */
  sample(x: ArrayLike<number>, g: { [i: number]: number }, t: number): number;
}

/** Σ h_i (x_i − 1/3)²/2; a draw adds noise · zᵀx with z standard normal, whose mean is 0. */
function bowl(curvature: number[], noise: number): Pick<Problem, "height" | "sample"> {
  const height = (x: ArrayLike<number>): number => curvature.reduce((f, h, i) => f + 0.5 * h * (x[i] - 1 / 3) ** 2, 0);
  return {
    height,
    sample(x, g, t) {
      const draws = stream(1, "noise").at(t);
      let loss = height(x);
      for (let i = 0; i < curvature.length; i++) {
        const tilt = noise > 0 ? noise * draws.normal() : 0;
        g[i] = curvature[i] * (x[i] - 1 / 3) + tilt;
        loss += tilt * x[i];
      }
      return loss;
    },
  };
}

const valley = ({ 0: u, 1: v }: ArrayLike<number>): number => 100 * (v - u * u) ** 2 + (1 - u) ** 2;

export const problems: Problem[] = [
  { name: "ill-conditioned", start: [1, 1, 1, 1], ...bowl([1, 0.1, 0.01, 0.001], 0) },
  {
    name: "rosenbrock",
    start: [-1.2, 1],
    height: valley,
    sample({ 0: u, 1: v }, g) {
      g[0] = -400 * u * (v - u * u) - 2 * (1 - u);
      g[1] = 200 * (v - u * u);
      return valley([u, v]);
    },
  },
  { name: "noisy", start: [3, 3, 3, 3], ...bowl([1, 1, 1, 1], 0.5) },
];

const UPDATES = 1000;
const rates = [0.0003, 0.003, 0.03, 0.3, 1];
/** A rule at a rate; null for rules that find their own. */
export const rules: Record<string, ((rate: number) => EquationRule) | (() => EquationRule)> = {
  "sgd, fixed": (rate: number) => sgd({ rate }),
  "sgd, 1/t": (rate: number) => sgd({ rate: inverseTimeDecay({ rate, decay: 0.05 }) }),
  "sgd, averaged": (rate: number) => chain(sgd({ rate }), averaging({ start: UPDATES / 2 })),
  polyak: () => polyak(),
  polyakEstimated: () => polyakEstimated(),
  momentum: (rate: number) => momentum({ rate }),
  nesterov: (rate: number) => nesterov({ rate }),
  adagrad: (rate: number) => adagrad({ rate }),
  adadelta: () => adadelta({ epsilon: 1e-4 }),
  rmsprop: (rate: number) => rmsprop({ rate }),
  adam: (rate: number) => adam({ rate }),
  amsgrad: (rate: number) => amsgrad({ rate }),
  adamw: (rate: number) => adamw({ rate }),
  nadam: (rate: number) => nadam({ rate }),
  lion: (rate: number) => lion({ rate }),
  scheduleFreeSgd: (rate: number) => scheduleFreeSgd({ rate }),
  scheduleFreeAdam: (rate: number) => scheduleFreeAdam({ rate }),
  prodigy: () => prodigy(),
};

/** The loss after `updates`; Infinity if it diverged. */
export async function heightAfter(rule: EquationRule, { start, height, sample }: Problem, updates: number): Promise<number> {
  const runner = await RuleRunner.open(rule, { count: start.length, start });
  for (let t = 1; t <= updates; t++) runner.step(sample(runner.parameters(), runner.gradient(), t));
  const reached = height(runner.evaluationPoint());
  runner.dispose();
  return Number.isFinite(reached) ? reached : Infinity;
}

export async function main(print: (line: string) => void = console.log): Promise<Record<string, Record<string, number>>> {
  const table: Record<string, Record<string, number>> = {};
  print(["rule".padEnd(18), ...problems.map((p) => p.name.padStart(16))].join(""));
  for (const [name, make] of Object.entries(rules)) {
    table[name] = {};
    for (const problem of problems) {
      const tried = await Promise.all((make.length ? rates : [0]).map((rate) => heightAfter(make(rate), problem, UPDATES)));
      table[name][problem.name] = Math.min(...tried);
    }
    print([name.padEnd(18), ...problems.map((p) => table[name][p.name].toExponential(1).padStart(16))].join(""));
  }
  return table;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
