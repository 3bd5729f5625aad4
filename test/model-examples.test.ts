/**
 * The fifteen models of examples/models, each sampled like in `main`, by 4 chains of 400 + 400 with fixed seeds and the
 * same bytes on every host.
 *
 * R-hat of every number is below 1.05, and at most 0.5 % of transitions diverge. If the answer is known from a closed
 * form, a sum or a grid, means lie within Z Monte Carlo standard errors of it. If data were simulated, the true
 * parameters lie within Z posterior standard deviations of the posterior mean. Z is the normal quantile at which all
 * CHECKS together give one false alarm in a thousand over other seeds, if means and posteriors are normal. A mean that
 * is off by 5.6 standard errors or deviations fails in 7 of 8 cases. The same check catches models with other data.
 */
import type { Draws } from "ergodic";
import { sample } from "ergodic";
import { describe, expect, test } from "vitest";
import * as abTest from "../examples/models/ab-test.ts";
import * as changePoint from "../examples/models/change-point.ts";
import * as coinBias from "../examples/models/coin-bias.ts";
import * as differentialEquation from "../examples/models/differential-equation.ts";
import * as eightSchools from "../examples/models/eight-schools.ts";
import * as gaussianProcess from "../examples/models/gaussian-process.ts";
import * as hiddenMarkov from "../examples/models/hidden-markov.ts";
import * as hierarchical from "../examples/models/hierarchical.ts";
import * as horseshoe from "../examples/models/horseshoe.ts";
import * as itemResponse from "../examples/models/item-response.ts";
import * as logisticRegression from "../examples/models/logistic-regression.ts";
import * as mixture from "../examples/models/mixture.ts";
import * as robustRegression from "../examples/models/robust-regression.ts";
import * as stateSpace from "../examples/models/state-space.ts";
import * as survival from "../examples/models/survival.ts";
import { normalQuantile } from "../packages/ergodic/src/engine/numbers/normal-quantile.ts";
import {
  bBeatsA,
  betaMoments,
  changePointPosterior,
  epidemicPosterior,
  levelPosterior,
  schoolsPosterior,
} from "./model-examples/exact.ts";

const CHECKS = 100;
const Z = -normalQuantile(1e-3 / CHECKS / 2);
const short = { chains: 4, warmup: 400, draws: 400, deterministic: true } as const;
let checked = 0;

interface Run {
  posterior: Draws;
  lines: string[];
}

async function run({ main }: { main: (print: (line: string) => void, options: typeof short) => Promise<Draws> }): Promise<Run> {
  const lines: string[] = [];
  const posterior = await main((line) => void lines.push(line), short);
  // Constants, such as the corner of a Cholesky factor, have no R-hat.
  const rhat = Object.values(posterior.summary()).map((row) => row.rhat);
  expect(Math.max(...rhat.filter(Number.isFinite))).toBeLessThan(1.05);
  expect(posterior.divergences).toBeLessThanOrEqual(0.005 * short.chains * short.draws);
  return { posterior, lines };
}

/** Numbers whose true value is more than Z standard deviations away. */
function missed(posterior: Draws, truth: Record<string, number>): string[] {
  const rows = posterior.summary();
  return Object.entries(truth)
    .filter(([name, value]) => !(Math.abs(rows[name].mean - value) < Z * rows[name].sd))
    .map(([name]) => name);
}

/** Compares means with exact ones. */
function compare(posterior: Draws, exact: Record<string, number>): void {
  const rows = posterior.summary();
  for (const [name, value] of Object.entries(exact)) {
    checked++;
    expect(Math.abs(rows[name].mean - value), `${name}: ${rows[name].mean} against ${value}`).toBeLessThan(
      Z * rows[name].mcseMean,
    );
  }
}

describe("models with known answers", () => {
  test("coin bias matches a beta distribution", async () => {
    const { posterior, lines } = await run(coinBias);
    const heads = coinBias.data.flips.reduce((a, b) => a + b);
    const { mean, sd, aboveHalf } = betaMoments(2 + heads, 2 + coinBias.data.flips.length - heads);
    compare(posterior, { p: mean, favoursHeads: aboveHalf });
    checked++;
    expect(Math.abs(posterior.summary().p.sd - sd)).toBeLessThan(Z * posterior.summary().p.mcseSd);
    expect(lines.at(-1)).toBe(`The coin favours heads with probability ${posterior.summary().favoursHeads.mean.toFixed(2)}.`);
  });

  test("A/B test matches a finite sum for the probability that B is better", async () => {
    const { posterior } = await run(abTest);
    compare(posterior, { bBeatsA: bBeatsA(abTest.data) });
  });

  test("change point matches enumeration in every year's probability and both rates", async () => {
    const { posterior, lines } = await run(changePoint);
    const { data } = changePoint;
    expect([data.counts.length, data.counts.reduce((a, b) => a + b)]).toEqual([112, 191]);
    const { early, late, change } = changePointPosterior(data.counts);
    const year = change.indexOf(Math.max(...change));
    compare(posterior, { early, late, [`change[${year + 1}]`]: change[year] });
    expect(lines.join(" ")).toContain(`first year of fewer is ${changePoint.FIRST_YEAR + year}`);
  });

  test("eight schools matches quadrature over τ in μ and τ", async () => {
    const { posterior } = await run(eightSchools);
    compare(posterior, schoolsPosterior(eightSchools.data));
  });

  test("state space matches the Kalman filter on a grid in σ and τ", async () => {
    const { posterior } = await run(stateSpace);
    compare(posterior, levelPosterior(stateSpace.data.y));
  });

  test("differential equation matches a grid in all three parameters, with the equation solved in plain numbers", async () => {
    const { posterior } = await run(differentialEquation);
    compare(posterior, epidemicPosterior(differentialEquation.data));
  });
});

interface Simulated {
  truth: Record<string, number>;
  main(print: (line: string) => void, options: typeof short): Promise<Draws>;
}
const simulated: Record<string, Simulated> = {
  gaussianProcess,
  hiddenMarkov,
  hierarchical,
  horseshoe,
  itemResponse,
  logisticRegression,
  mixture,
  robustRegression,
  survival,
};

describe("models with simulated data, whose true parameters lie in the posterior", () => {
  test.each(Object.entries(simulated))("%s", async (_, example) => {
    const { posterior, lines } = await run(example);
    checked += Object.keys(example.truth).length;
    expect(missed(posterior, example.truth)).toEqual([]);
    expect(lines.length).toBeGreaterThan(1);
    if (example === hiddenMarkov) {
      const right = hiddenMarkov.likelierStates(posterior).filter((state, t) => state === hiddenMarkov.data.states[t]);
      expect(right.length).toBeGreaterThan(180);
    }
  });

  test("inverted data are detected", async () => {
    const flipped = { ...logisticRegression.data, y: logisticRegression.data.y.map((y) => 1 - y) };
    const posterior = await sample(logisticRegression.default, flipped, { ...short, seed: 1 });
    expect(missed(posterior, logisticRegression.truth)).toContain("beta[1]");
    const downward = { ...robustRegression.data, y: robustRegression.data.y.map((y) => -y) };
    expect(missed(await sample(robustRegression.default, downward, { ...short, seed: 1 }), robustRegression.truth)).toEqual([
      "alpha",
      "beta",
    ]);
    expect(Math.abs(robustRegression.leastSquaresSlope() - robustRegression.truth.beta)).toBeGreaterThan(0.5);
  });

  test("the number of checks is at most the number assumed for false alarms", () => {
    expect(checked).toBeGreaterThan(80);
    expect(checked).toBeLessThanOrEqual(CHECKS);
  });
});
