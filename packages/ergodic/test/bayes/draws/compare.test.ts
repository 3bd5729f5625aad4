/** Comparison of models: accepted inputs, the report, and refusals. golden/model-weights.test.ts checks the numbers. */
import { expect, it } from "vitest";
import { looText, waicText } from "../../../src/bayes/draws/loo-text.ts";
import { add, mul, slice } from "../../../src/engine/compiler/index.ts";
import { psisLoo } from "../../../src/engine/statistics/index.ts";
import { compare, type Draws, model, normal, sample, stream, vector } from "../../../src/entries/everything.ts";

const noise = stream(1, "compare").at(0);
const x = Array.from({ length: 40 }, (_, i) => (i - 19.5) / 10);
const y = x.map((place) => 1 + place + 0.5 * noise.normal());
const short = { chains: 2, warmup: 200, draws: 1000, seed: 1, deterministic: true } as const;

/** Refusals do not depend on the draws. */
const few = { ...short, warmup: 50, draws: 50 } as const;

const flat = model({ y: vector("N") }, ({ y, param, observe }) => {
  const alpha = param("alpha", normal(0, 2));
  observe(y, normal(alpha, 1));
  return { alpha };
});
const line = model({ x: vector("N"), y: vector("N") }, ({ x, y, param, observe }) => {
  const beta = param("beta", normal(0, 2));
  observe(y, normal(add(param("alpha", normal(0, 2)), mul(beta, x)), 0.5));
  return { beta };
});
const [byFlat, byLine]: Draws[] = [await sample(flat, { y }, short), await sample(line, { x, y }, short)];

it("draws and loo() results compare alike, with the best model first", () => {
  const found = compare({ flat: byFlat, line: byLine });
  const [best, other] = found.models;
  expect([best.name, best.elpdDiff, best.seDiff, best.weight.toFixed(3)]).toEqual(["line", 0, 0, "1.000"]);
  const [a, b] = [byFlat.loo(), byLine.loo()];
  expect(other.elpdDiff).toBeCloseTo(a.elpd.estimate - b.elpd.estimate, 10);
  const differences = [...a.pointwise.elpd].map((value, i) => value - b.pointwise.elpd[i]);
  const mean = differences.reduce((sum, d) => sum + d) / 40;
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / 39;
  expect(other.seDiff).toBeCloseTo(Math.sqrt(40 * variance), 10);
  expect(`${compare({ flat: a, line: b })}`).toBe(`${found}`);
  expect(`${compare({ flat: byFlat, line: b })}`).toBe(`${found}`);
  expect(compare({ line: byLine, flat: byFlat }).models.map(({ name }) => name)).toEqual(["line", "flat"]);
  const lines = `${found}`.split("\n");
  expect(lines[0].trim().split(/ {2,}/)).toEqual(["elpd", "se", "diff", "se diff", "p loo", "looic", "weight"]);
  const [elpd, looic] = [b.elpd.estimate.toFixed(1), b.looic.estimate.toFixed(1)];
  expect(lines[1].split(/ {2,}/)).toEqual([
    "line",
    elpd,
    b.elpd.se.toFixed(1),
    "0.0",
    "0.0",
    b.pLoo.estimate.toFixed(1),
    looic,
    "1.00",
  ]);
  expect(found.notes).toEqual(["with 40 observations, fewer than 100, the standard errors of differences may be too small"]);
  expect(lines[3]).toMatch(/^elpd: .*higher is better; diff: .*; weight \(stacking\): share in the mixture/);
  expect(lines.slice(4)).toEqual(found.notes.map((note) => `- ${note}.`));
});

it("models that predict equally well are noted and share the weight", async () => {
  const again: Draws = await sample(line, { x, y }, { ...short, seed: 2 });
  const found = compare({ line: byLine, again });
  expect(found.notes[0]).toMatch(/^"(line|again)" predicts about as well as "(line|again)": a difference below 4 is small$/);
  expect(Math.abs(found.models[1].elpdDiff)).toBeLessThan(1);
  const weights = compare({ line: byLine, again }, { weights: "pseudoBma" }).models.map(({ weight }) => weight);
  for (const weight of weights) expect(weight).toBeGreaterThan(0.3);
  expect(compare({ line: byLine, again }, { weights: "pseudoBma", seed: 5 }).weights).toBe("pseudoBma");
});

it("an overly influential observation is named", () => {
  const terms = byLine.content.source!.pointwise().y.slice();
  // Draws that explain the fourth observation become ever rarer.
  for (let s = 0; s < 2000; s++) terms[s * 40 + 3] = -(1 + (s % 23) ** 2 / 10);
  const strange = psisLoo(terms, { chainCount: 2, observationCount: 40 });
  expect(strange.pointwise.paretoK[3]).toBeGreaterThan(strange.threshold);
  const found = compare({ flat: byFlat, strange });
  expect(found.models.find(({ name }) => name === "strange")!.influential).toEqual([3]);
  expect(found.notes[0]).toBe(
    'the elpd of "strange" cannot be trusted: its Pareto k is too high at observation 4; look at it, or use a likelihood with heavier tails',
  );
});

it("a result of loo() prints as a table", () => {
  const loo = byLine.loo();
  const [head, ...rows] = `${loo}`.split("\n");
  expect(head).toBe("       estimate   se");
  expect(rows[0].split(/ +/)).toEqual(["elpd", loo.elpd.estimate.toFixed(1), loo.elpd.se.toFixed(1)]);
  expect(rows[1].split(/ +/)).toEqual(["p", "loo", loo.pLoo.estimate.toFixed(1), loo.pLoo.se.toFixed(1)]);
  expect(rows[3]).toMatch(/^elpd: .*; p loo: effective number of parameters; looic: −2 elpd$/);
  expect(rows[4]).toMatch(
    /^All Pareto k are at most 0\.\d\d: these numbers can be trusted\. Monte Carlo error of elpd: 0\.\d+\.$/,
  );
  expect(Object.keys(loo)).not.toContain("toString");
});

it("a result of waic() prints as a table and warns of a poor approximation", () => {
  const waic = byLine.waic();
  const [head, ...rows] = `${waic}`.split("\n");
  expect(head).toBe("        estimate   se");
  expect(rows[0].split(/ +/)).toEqual(["elpd", waic.elpd.estimate.toFixed(1), waic.elpd.se.toFixed(1)]);
  expect(rows[1].split(/ +/)).toEqual(["p", "waic", waic.pWaic.estimate.toFixed(1), waic.pWaic.se.toFixed(1)]);
  expect(rows[2].split(/ +/)).toEqual(["waic", waic.waic.estimate.toFixed(1), waic.waic.se.toFixed(1)]);
  expect(rows[4]).toMatch(/^The term of p waic of observation 1 is above 0\.4/);
  expect([...waic.pointwise.pWaic].map((each, i) => (each > 0.4 ? i : -1)).filter((i) => i >= 0)).toEqual([0]);
  expect(Object.keys(waic)).not.toContain("toString");
  const withVariance = (...pWaic: number[]): string =>
    waicText({ ...waic, pointwise: { ...waic.pointwise, pWaic: Float64Array.from(pWaic) } }).split("\n")[5];
  expect(withVariance(0.4, 0.1)).toBe("Each term of p waic is at most 0.4: these numbers can be trusted.");
  expect(withVariance(0.4, 0.5)).toBe(
    "The term of p waic of observation 2 is above 0.4, where the approximation is poor: use loo().",
  );
  expect(withVariance(0.41, 0.1, Number.NaN)).toMatch(/^The terms of p waic of observations 1 and 3 are above 0\.4/);
});

it("a long list of influential observations is shortened to a count", () => {
  const loo = byLine.loo();
  const withK = (high: number): string => {
    const paretoK = loo.pointwise.paretoK.map((_, i) => (i < high ? 1 : 0.2));
    return looText({ ...loo, pointwise: { ...loo.pointwise, paretoK } });
  };
  expect(withK(1)).toMatch(/The Pareto k of observation 1 is above 0\.70: .* look at it, or/);
  expect(withK(2)).toMatch(/The Pareto k of observations 1 and 2 are above .* look at them, or/);
  expect(withK(6)).toMatch(/observations 1, 2, 3, 4, 5 and 6 are/);
  expect(withK(7)).toMatch(/observations 1, 2, 3, 4, 5 and 2 more are/);
});

it("models of other observations are refused", async () => {
  const named = model(({ data, param, observe }) => {
    observe(data({ y: vector("N") }).y, normal(param("mu", normal(0, 2)), 1), "score");
  });
  const lagged = model(({ data, param, observe }) => {
    const { y } = data({ y: vector("N") });
    observe(slice(y, { from: 1 }), normal(mul(param("b", normal(0, 1)), slice(y, { to: 39 })), 1), "y");
  });
  const changed = y.map((value, i) => (i === 7 ? value + 1 : value));
  const cases: [Draws, RegExp, object?][] = [
    [await sample(flat, { y: y.slice(1) }, few), /"b" was judged on 39 observations, but "a" on 40/],
    [await sample(named, { y }, few), /"b" predicts "score", but "a" "y"/],
    [await sample(flat, { y: changed }, few), /"y\[8\]" is .* in the data of "b", but .* in the data of "a"/],
    [await sample(lagged, { y }, few), /"b": loo: the terms of "y" depend on each other/],
  ];
  for (const [b, message] of cases) expect(() => compare({ a: byFlat, b })).toThrow(message);
  expect(() => compare({ a: byFlat, b: cases[0][0] })).toThrow(/compare models of the same observations \[DRAWS_OBSERVATIONS\]/);
  const ahead = await sample(lagged, { y }, few);
  expect(() => compare({ a: ahead.loo("y", { oneStepAhead: true }), b: byLine })).toThrow(/on 40 observations, but "a" on 39/);
  const kinds = { ...byFlat.loo(), kind: "one-step-ahead" as const };
  expect(() => compare({ a: byFlat, b: kinds })).toThrow(
    /"b" was judged by one-step-ahead predictions, but "a" by leave-one-out ones/,
  );
  expect(compare({ a: ahead, b: ahead }, { oneStepAhead: true }).models[0].name).toBe("a");
});

it("values that are not models are refused", () => {
  expect(() => compare({ a: byFlat })).toThrow(/compare: there is one model, but at least two must be given by name/);
  expect(() => compare([byFlat, byLine] as never)).toThrow(/there are no models/);
  expect(() => compare({ a: byFlat, b: 3 } as never)).toThrow(
    /"b" is 3, but must be the draws of a model or a result of loo\(\)/,
  );
  expect(() => compare({ a: byFlat, b: byLine }, { of: "z" })).toThrow(/compare: "a": loo: "z" was not observed; name one of y/);
});

it("non-finite values are refused by model and observation, and malformed results by name", () => {
  const [a, b] = [byFlat.loo(), byLine.loo()];
  const spoilt = (value: number) => ({ ...b, pointwise: { ...b.pointwise, elpd: b.pointwise.elpd.with(6, value) } });
  for (const value of [NaN, -Infinity, Infinity])
    for (const weights of ["stacking", "pseudoBma"] as const)
      expect(() => compare({ flat: a, line: spoilt(value) }, { weights })).toThrow(
        `compare: the elpd of "line" at observation 7 is ${value}, but must be finite; check the model at this observation, or omit the observation from all models [DATA_NOT_FINITE]`,
      );
  expect(() => compare({ flat: spoilt(NaN), line: b })).toThrow('the elpd of "flat" at observation 7');
  const unlike = [
    { ...b, pointwise: { ...b.pointwise, elpd: undefined } },
    { ...b, pointwise: { ...b.pointwise, paretoK: 0.5 } },
    { ...b, elpd: undefined },
    { ...b, looic: 3 },
  ];
  for (const line of unlike)
    expect(() => compare({ flat: a, line: line as unknown as typeof b })).toThrow(/"line" is an object of .*OPTION_TYPE/);
  // Plain lists, as read from JSON, work equally well.
  const listed = { ...b, pointwise: { ...b.pointwise, elpd: [...b.pointwise.elpd] as unknown as Float64Array } };
  expect(`${compare({ flat: a, line: listed })}`).toBe(`${compare({ flat: a, line: b })}`);
});

it.each([
  [{ seed: 1.5 }, /^compare: seed is 1\.5, but must be /],
  [{ seed: -1 }, /^compare: seed is -1, but must be /],
  [{ seed: 2 ** 53 }, /^compare: seed is 9007199254740992, but must be /],
  [{ weights: "stack" }, /^compare: weights is "stack", but must be .*stacking.*pseudoBma/],
  [{ wieghts: "stacking" }, /^compare: unknown option "wieghts"/],
])("refuses the options %j", (options, message) => {
  expect(() => compare({ flat: byFlat, line: byLine }, options as never)).toThrow(message);
});
