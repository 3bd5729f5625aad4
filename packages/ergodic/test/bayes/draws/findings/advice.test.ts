/** Advice depends on the run: on its algorithm and model, and never repeats what was already done. */
import { describe, expect, it } from "vitest";
import { Draws } from "../../../../src/bayes/draws/index.ts";
import type { JsonObject } from "../../../../src/engine/contract/index.ts";
import {
  bernoulli,
  gibbs,
  halfNormal,
  hmc,
  lkjCholesky,
  mala,
  matrix,
  meanField,
  metropolisWithinGibbs,
  model,
  multivariateNormalCholesky,
  normal,
  nuts,
  parallelTempering,
  pathfinder,
  randomWalk,
  real,
  type Sampler,
  sample,
  sequentialMonteCarlo,
  sgld,
  slice,
  vector,
} from "../../../../src/entries/everything.ts";

const schools = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("J") });
  const theta = param("theta", normal(param("mu", normal(0, 5)), param("tau", halfNormal(5))), { shape: "J" });
  observe(y, normal(theta, 10));
});
const plain = model(({ data, param, observe }) => observe(data({ y: vector("J") }).y, normal(param("mu", normal(0, 5)), 10)));
const data = { y: [28, 8, -3, 7, -1, 1, 18, 12] };
const short = { chains: 2, warmup: 20, draws: 30, seed: 1 } as const;

/** Runs a sampler and returns the verdict as if its chains disagreed. */
async function advice(of: typeof schools, algorithm: Sampler, more = {}): Promise<string> {
  const { description, report } = await sample(of, data, { ...short, algorithm, ...more });
  return told(description, report);
}

/** The verdict on chains that disagree, as if this run had produced them. */
function told(description: JsonObject, report: Record<string, number> = {}, gap = 3): string {
  const [chains, count] = [2, 200];
  const x = Float64Array.from({ length: chains * count }, (_, k) => (k < count ? 0 : gap) + Math.sin(k * k));
  const quantities = [{ name: "x", shape: [], kind: "parameter" as const }];
  const none = { fields: [], transitions: new Float64Array(0) };
  return `${new Draws({ chains, count, quantities, values: { x }, ...none, description, report }).verdict()}`;
}

describe("advice on chains that disagree", () => {
  it.each<[string, Sampler, RegExp]>([
    [
      "nuts",
      nuts(),
      /centred: false for "theta", or use another metric \("diagonal", "dense"\), or warm up longer .*warmup: 40, draws: 400/,
    ],
    ["nuts with a diagonal metric", nuts({ metric: "diagonal" }), /use another metric \("lowRank", "dense"\)/],
    [
      "hmc",
      hmc({ metric: "dense", jitter: 0 }),
      /centred: false for "theta".*jitter: 0\.5.*\("lowRank", "diagonal"\).*use nuts\(\), which finds the length/,
    ],
    ["hmc with jitter", hmc({ jitter: 0.3 }), /^(?!.*jitter).*use nuts\(\)/s],
    ["mala", mala(), /use nuts\(\), whose trajectories are longer/],
    ["slice", slice(), /centred: false for "theta", or use nuts\(\), which follows the gradient/],
    ["a random walk", randomWalk({ covariance: "diagonal" }), /use covariance: "dense", or use nuts\(\), which follows/],
    ["a random walk that is dense", randomWalk(), /^(?!.*covariance).*use nuts\(\)/s],
    ["Metropolis by coordinates", metropolisWithinGibbs(), /use nuts\(\), which follows the gradient/],
    ["parallel tempering", parallelTempering({ count: 2 }), /use more copies .*swapEvery: 2/],
    [
      "sequential Monte Carlo",
      sequentialMonteCarlo({ moves: 3 }),
      /use more moves per stage \(moves: 6\), or draw more \(draws: 400\)/,
    ],
    ["gibbs", gibbs({ mu: slice(), tau: slice(), theta: slice() }), /use nuts\(\)/],
    ["gibbs by nuts", gibbs({ mu: slice(), tau: slice(), theta: nuts() }), /^(?!.*use nuts).*centred: false/s],
  ])("%s", async (_, algorithm, wanted) => {
    const text = await advice(schools, algorithm);
    expect(text).toMatch(/the chains disagree about "x"/);
    expect(text).toMatch(/more chains \(chains: 4\) would show whether chains settle in different places/);
    expect(text).toMatch(wanted);
    if (algorithm.name === "nuts" || algorithm.name === "parallelTempering") expect(text).not.toMatch(/nuts/);
  });

  it("advice for sgld depends on its unused options", async () => {
    const rows = { rows: "J" };
    const text = await advice(plain, sgld({ stepSize: 0.1, batch: 2, thin: 3 }), rows);
    expect(text).toMatch(
      /leave stepSize and thin out, .*or make more updates per draw \(thin: 30\), or use controlVariate: "mode", or use nuts\(\) on all rows/,
    );
    const controlled = await advice(plain, sgld({ stepSize: 0.1, batch: 2, controlVariate: "mode" }), rows);
    expect(controlled).toMatch(/thin: 10/);
    expect(controlled).not.toMatch(/controlVariate/);
    const chosen = told({ algorithm: sgld().toJSON() }, { thin: 7 });
    expect(chosen).toMatch(/thin: 70/);
    expect(chosen).not.toMatch(/controlVariate|leave stepSize/);
  });

  it("advises on centring only if the hierarchy allows it", async () => {
    expect(await advice(plain, nuts())).not.toMatch(/centred/);
    const narrowed = model(({ param }) => {
      param("x", normal(0, param("s", halfNormal(1))), { lower: 0 });
      param("y", halfNormal(param("t", halfNormal(1))));
    });
    expect(await advice(narrowed, nuts())).not.toMatch(/centred/);
  });

  /** Pairs of effects. An observed mean has the standard error `error`, which falls with the number of data per group. */
  const pairs = (centred: boolean) =>
    model(({ data, param, observe }) => {
      const { y, error } = data({ y: matrix("J", "K"), error: real() });
      const mu = param("mu", normal(0, 5), { shape: 2 });
      const factor = param("tau", halfNormal(5), { shape: [2, 1] }).mul(param("L", lkjCholesky(2, 2)));
      const theta = param("theta", multivariateNormalCholesky(mu, factor), { shape: "J", centred });
      observe(y, normal(theta, error));
    });
  const single = (centred: boolean) =>
    model(({ data, param, observe }) => {
      const { y, error } = data({ y: matrix("J", "K"), error: real() });
      const shape = ["J", "K"];
      const theta = param("theta", normal(param("mu", normal(0, 5)), param("tau", halfNormal(5))), { shape, centred });
      observe(y, normal(theta, error));
    });
  const y = [3, -1, 4, 1, -5, 9, 2, -6, 5, 3].map((x, i) => [x / 3, (x - i) / 3]);
  it.each([
    ["pairs", pairs],
    ["single effects", single],
  ])("advises the form that suits the data, and never leads from one form to the other and back: %s", async (_, of) => {
    const about = async (centred: boolean, error: number) =>
      told((await sample(of(centred), { y, error }, { ...short, warmup: 300, draws: 300 })).description);
    // Few data per group: effective sizes of tau are several times larger with centred: false.
    expect(await about(true, 5)).toMatch(/use centred: false for "theta"/);
    expect(await about(false, 5)).not.toMatch(/centred/);
    // Many data per group: effective sizes of mu are several times larger with centred: true.
    expect(await about(true, 0.1)).not.toMatch(/centred/);
    expect(await about(false, 0.1)).toMatch(/use centred: true for "theta", which the data determine closely/);
  });

  it("advises to sum out discrete parameters and to add a missing gradient", async () => {
    const discrete = model(({ param, observe, data }) => {
      const { y } = data({ y: vector("J") });
      param("z", bernoulli(0.5));
      observe(y, normal(param("mu", normal(0, 5)), 10));
    });
    const both = await advice(discrete, gibbs());
    expect(both).toMatch(/sum "z" out with marginalise\(\), so that nuts\(\) can sample the rest/);
    expect(await advice(schools, gibbs())).not.toMatch(/nuts/);
    const bare = await sample(([a]) => -0.5 * a * a, { dimension: 1 }, short);
    expect(told(bare.description)).toMatch(/give the gradient too, and use nuts\(\)/);
    expect(told(bare.description)).not.toMatch(/centred/);
  });

  it("recommends only metrics that were not chosen", () => {
    const description = { algorithm: nuts().toJSON() };
    expect(told(description, { diagonal: 1 })).toMatch(/use another metric \("lowRank", "dense"\)/);
    expect(told(description, { diagonal: 0 })).toMatch(/use another metric \("diagonal", "dense"\)/);
  });

  it("gives general advice if the algorithm is unknown", () => {
    expect(told({})).toMatch(/more chains .*; within a mode, .*depend less on each other, or warm up longer and draw more/);
    const stan = { source: "Stan", algorithm: { algorithm: "nuts", targetAcceptance: 0.8 }, plan: { warmup: 1000 } };
    expect(told(stan)).toMatch(/depend less on each other, or warm up longer and draw more \(warmup: 2000/);
    expect(told(stan)).not.toMatch(/use nuts|metric/);
  });
});

it("approximations are not compared as chains, and poor ones are advised to use nuts()", async () => {
  // The advice depends on the name of the algorithm, not on the fit.
  for (const algorithm of [
    pathfinder({ paths: 1, maxIterations: 20, psis: false }),
    meanField({ maxIterations: 20, refineDraws: 20, psis: false }),
  ]) {
    const { description } = await sample(schools, data, { ...short, draws: 2, algorithm });
    expect(told(description, { paretoK: 0.2 })).toMatch(
      /^These draws can be trusted \(400 draws of an approximation by \w+\(\), Pareto k 0\.20\)\.$/,
    );
    const far = told(description, { paretoK: 1.2 });
    expect(far).toMatch(/sample with nuts\(\), or use centred: false for "theta"\./);
    expect(far).not.toMatch(/R-hat|chains/);
  }
});

describe("R-hat", () => {
  /**
   * R-hat of chains that lie slightly apart. It is serious above 1.05, and below that if there are few effective draws.
   */
  const found = (gap: number) => {
    const [chains, count] = [4, 2000];
    const wave = (k: number) => Math.sin(k * k) + Math.cos(3.7 * k * k);
    const x = Float64Array.from({ length: chains * count }, (_, k) => (k < count ? gap : 0) + wave(k));
    const quantities = [{ name: "x", shape: [], kind: "parameter" as const }];
    const none = { fields: [], transitions: new Float64Array(0), description: {}, report: {} };
    const draws = new Draws({ chains, count, quantities, values: { x }, ...none });
    const { rhat, essBulk, essTail } = draws.summary().x;
    return { rhat, least: Math.min(essBulk, essTail), findings: draws.verdict().findings };
  };

  it.each([
    ["settled", 0.05, undefined],
    ["a little apart, with enough effective draws", 0.34, false],
    ["a little apart, with few", 0.55, true],
    ["apart", 1, true],
  ])("%s", (_, gap, serious) => {
    const { rhat, least, findings } = found(gap);
    expect(findings.find(({ code }) => code === "rhat")?.serious, `R-hat ${rhat}, ESS ${least}`).toBe(serious);
    if (serious === false) expect([rhat > 1.01 && rhat < 1.05, least >= 400]).toEqual([true, true]);
    if (gap === 0.55) expect([rhat > 1.01 && rhat < 1.05, least < 400]).toEqual([true, true]);
  });
});
