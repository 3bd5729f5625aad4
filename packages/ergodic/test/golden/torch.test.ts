/**
 * Compares step rules with PyTorch 2.6 in float64: the iterates after 1, 2, 3, 10, 100 and 1000 steps, within 1e-12
 * relative. The interpreter stops after 100 steps, except in test:slow. torch-traces.py made torch.json. Each entry
 * holds its call.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as g from "../../src/engine/optimise/index.ts";
import { isSlow } from "../power.ts";
import { problems } from "./problems.ts";

interface Entry {
  name: string;
  call: string;
  problem: string;
  steps: number[];
  x: number[][];
  average?: number[][];
}
const { entries } = JSON.parse(readFileSync(new URL("./torch.json", import.meta.url), "utf8")) as { entries: Entry[] };
const TOLERANCE = 1e-12;

const rates: Record<string, Record<string, number>> = {
  sgd: { quadratic: 0.005, rosenbrock: 0.0005 },
  momentum: { quadratic: 0.005, rosenbrock: 0.0002 },
  dampening: { quadratic: 0.01, rosenbrock: 0.0005 },
  radam: { quadratic: 0.01, rosenbrock: 0.0003 },
};
const l2 = g.weightDecay({ decay: 0.1 });
const asgd = (rate: number) =>
  g.chain(
    g.weightDecay({ decay: 1e-4 }),
    g.sgd({ rate: g.inverseTimeDecay({ rate, decay: 1e-4 * rate, power: 0.75 }) }),
    g.averaging({ start: 51 }),
  );

/** Our rule for each name in torch-traces.py. */
const ours: Record<string, (problem: string) => g.EquationRule> = {
  sgd: (problem) => g.sgd({ rate: rates.sgd[problem] }),
  sgdDecay: () => g.chain(l2, g.sgd({ rate: 0.005 })),
  momentum: (problem) => g.momentum({ rate: rates.momentum[problem] }),
  dampening: (problem) => g.momentum({ rate: rates.dampening[problem], dampening: 0.5 }),
  nesterov: (problem) => g.nesterov({ rate: rates.momentum[problem] }),
  nesterovDecay: () => g.chain(l2, g.nesterov({ rate: 0.005 })),
  asgd: (problem) => asgd(rates.sgd[problem]),
  adagrad: () => g.adagrad({ rate: 0.1 }),
  adagradDecay: () => g.adagrad({ rate: g.inverseTimeDecay({ rate: 0.5, decay: 0.01 }), initialAccumulator: 0.1 }),
  adagradL2: () => g.chain(l2, g.adagrad({ rate: 0.1 })),
  rmsprop: () => g.rmsprop({ rate: 0.001 }),
  rmspropMomentum: (problem) =>
    problem === "quadratic" ? g.rmsprop({ rate: 0.001, rho: 0.95, momentum: 0.9 }) : g.rmsprop({ rate: 0.0001, momentum: 0.5 }),
  rmspropCentred: () => g.rmsprop({ rate: 0.001, centred: true }),
  rmspropBoth: () => g.chain(l2, g.rmsprop({ rate: 0.001, centred: true, momentum: 0.5 })),
  adadelta: (problem) => g.adadelta({ rate: problem === "quadratic" ? 1 : 0.1 }),
  adadeltaRate: () => g.chain(l2, g.adadelta({ rate: 0.5, rho: 0.95, epsilon: 1e-4 })),
  adam: () => g.adam({ rate: 0.01 }),
  adamBetas: () => g.chain(l2, g.adam({ rate: 0.02, beta1: 0.8, beta2: 0.99, epsilon: 1e-6 })),
  amsgrad: () => g.amsgrad({ rate: 0.01 }),
  amsgradL2: () => g.chain(l2, g.amsgrad({ rate: 0.01 })),
  adamw: () => g.adamw({ rate: 0.01 }),
  adamwAmsgrad: () => g.adamw({ rate: 0.01, decay: 0.1, amsgrad: true }),
  nadam: () => g.nadam({ rate: 0.01 }),
  nadamDecay: () => g.nadam({ rate: 0.01, decay: 0.1, momentumDecay: 0.01 }),
  nadamL2: () => g.chain(l2, g.nadam({ rate: 0.01 })),
  radam: (problem) => g.radam({ rate: rates.radam[problem] }),
  radamDecay: () => g.chain(l2, g.radam({ rate: 0.01 })),
  radamDecoupled: () => g.radam({ rate: 0.01, decay: 0.1 }),
  adamax: () => g.adamax({ rate: 0.01 }),
  adamaxL2: () => g.chain(l2, g.adamax({ rate: 0.005, beta1: 0.8, beta2: 0.99 })),
  exponential: () => g.sgd({ rate: g.exponentialDecay({ rate: 0.005, factor: 0.99 }) }),
  step: () => g.sgd({ rate: g.stepDecay({ rate: 0.005, every: 30, factor: 0.5 }) }),
  cosine: () => g.sgd({ rate: g.cosineDecay({ rate: 0.005, updates: 1000, final: 0.0001 }) }),
  warmUp: () => g.sgd({ rate: g.warmUp({ rate: 0.005, from: 0.1, updates: 9 }) }),
  clipNorm: () => g.chain(g.clipNorm({ norm: 1 }), g.sgd({ rate: 0.005 })),
  clipValue: () => g.chain(g.clipValue({ value: 0.5 }), g.sgd({ rate: 0.005 })),
};

/** Largest relative difference. Entries below 1e-3 are compared to 1e-15 absolute, because their digits cancelled. */
function difference(ourPoint: ArrayLike<number>, theirs: number[]): number {
  return Math.max(...theirs.map((x, i) => Math.abs(ourPoint[i] - x) / Math.max(Math.abs(x), 1e-3)));
}

async function follow(entry: Entry, interpret: boolean): Promise<number> {
  const { start, gradient, value } = problems[entry.problem];
  using runner = await g.RuleRunner.open(ours[entry.name](entry.problem), { count: start.length, start, interpret });
  let worst = 0;
  for (const [k, last] of entry.steps.entries()) {
    if (interpret && !isSlow && last > 100) break;
    while (runner.t < last) {
      const x = runner.parameters();
      runner.gradient().set(gradient(x, runner.t + 1));
      runner.step(value(x));
    }
    worst = Math.max(worst, difference(runner.parameters(), entry.x[k]));
    if (entry.average) worst = Math.max(worst, difference(runner.evaluationPoint(), entry.average[k]));
  }
  return worst;
}

/** Prints each figure if GOLDEN_REPORT=1. */
function report(entry: Entry, how: string, worst: number): number {
  if (process.env.GOLDEN_REPORT) console.log(`${how}: ${entry.name} on ${entry.problem}: ${worst.toExponential(1)}`);
  return worst;
}

describe("PyTorch's 1000 steps", () => {
  const equations = entries.filter((e) => e.name !== "lbfgs").map((e) => [e.call, e.problem, e] as const);
  test.each(equations)("%s on %s, compiled", async (_, __, entry) => {
    expect(report(entry, "compiled", await follow(entry, false))).toBeLessThan(TOLERANCE);
  });
  test.each(equations)("%s on %s, interpreted", async (_, __, entry) => {
    expect(report(entry, "interpreted", await follow(entry, true))).toBeLessThan(TOLERANCE);
  });
});

describe("PyTorch's L-BFGS", () => {
  const options: Record<string, object> = { quadratic: { history: 5 }, rosenbrock: { history: 10 } };
  test.each(entries.filter((e) => e.name === "lbfgs").map((e) => [e.call, e.problem, e] as const))(
    "%s on %s",
    (call, name, entry) => {
      const { start, gradient, value } = problems[name];
      const x = Float64Array.from(start);
      const rule = g.lbfgs(call.includes("strong_wolfe") ? options[name] : { rate: 0.001, search: "none" });
      const run = rule.start((at, into) => {
        into?.set(gradient(at, 0));
        return value(at);
      }, x.length);
      let worst = 0;
      for (const theirs of entry.x) {
        run.step(x);
        worst = Math.max(worst, difference(x, theirs));
      }
      if (process.env.GOLDEN_REPORT) console.log(`lbfgs ${name} ${worst.toExponential(1)}`);
      expect(worst).toBeLessThan(TOLERANCE);
    },
  );
});
