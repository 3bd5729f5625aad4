import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Columns } from "../../../src/bayes/formula/formula-data.ts";
import { columnsOfFormula, numbersOfRow } from "../../../src/bayes/formula/new-rows.ts";
import { Plan } from "../../../src/bayes/formula/plan.ts";
import { Priors } from "../../../src/bayes/formula/priors.ts";
import { familyOf } from "../../../src/bayes/formula/response-families.ts";
import { readFormula } from "../../../src/bayes/formula/terms.ts";
import type { ConditionedModel } from "../../../src/bayes/model/index.ts";
import {
  add,
  at,
  div,
  exp,
  matmul,
  mul,
  neg,
  reshape,
  type SymbolicArray,
  stack,
  take,
} from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  bernoulliLogit,
  binomialLogit,
  calibrate,
  type Distribution,
  type FamilyName,
  type FormulaData,
  fit,
  gamma,
  halfNormal,
  halfStudent,
  inverseGamma,
  lkjCholesky,
  loadDraws,
  type ModelContext,
  matrix,
  model,
  multivariateNormalCholesky,
  negativeBinomialMean,
  normal,
  nuts,
  orderedLogistic,
  pathfinder,
  poissonLog,
  prior,
  type RegressionOptions,
  regression,
  type StatisticalModel,
  sample,
  saveDraws,
  sgld,
  student,
  vector,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";

const golden = JSON.parse(readFileSync(new URL("../../golden/formula-design.json", import.meta.url), "utf8")) as {
  estimates: Record<string, { names: string[]; values: number[]; data: Record<string, (string | number)[]> }>;
};

const N = 24;
const draws = stream(7, "regression").at(0);
const columns = {
  x: Array.from({ length: N }, () => draws.normal()),
  z: Array.from({ length: N }, () => 1 + draws.uniform()),
  f: Array.from({ length: N }, (_, i) => ["a", "b", "c"][i % 3]),
  g: Array.from({ length: N }, (_, i) => `g${i % 5}`),
  y: Array.from({ length: N }, () => 3 + 2 * draws.normal()),
  count: Array.from({ length: N }, () => draws.integer(7)),
  trials: Array.from({ length: N }, () => 7 + draws.integer(3)),
  flag: Array.from({ length: N }, () => draws.integer(2)),
  size: Array.from({ length: N }, (_, i) => (i < 6 ? "S" : i < 15 ? "M" : "L")),
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
const dummy = (level: string): number[] => columns.f.map((f) => (f === level ? 1 : 0));

async function conditioned(
  formula: string,
  options: RegressionOptions = {},
  data: FormulaData = columns,
): Promise<ConditionedModel> {
  return regression(formula, options).condition(data);
}

/** Compares both log densities and gradients at random points. */
async function expectSameDensity(ours: ConditionedModel, theirs: ConditionedModel): Promise<void> {
  expect(ours.parameters.map(({ size }) => size)).toEqual(theirs.parameters.map(({ size }) => size));
  for (let k = 0; k < 5; k++) {
    const random = stream(k, "points").at(0);
    const u = Float64Array.from({ length: ours.dimension }, () => 2 * random.uniform() - 1);
    const [a, b] = [ours.evaluate(u), theirs.evaluate(u)];
    expect(Math.abs(a.value - b.value)).toBeLessThan(1e-11 * (1 + Math.abs(b.value)));
    a.gradient.forEach((slope, i) => {
      expect(Math.abs(slope - b.gradient[i])).toBeLessThan(1e-10 * (1 + Math.abs(b.gradient[i])));
    });
  }
}

/** Columns of X (x and the levels of f), minus their means. */
const X = (() => {
  const all = [columns.x, dummy("b"), dummy("c")];
  return columns.x.map((_, i) => all.map((column) => column[i] - mean(column)));
})();
const scales = [columns.x, dummy("b"), dummy("c")].map((column) => 2.5 / deviation(column));
const group = columns.g.map((name) => Number(name.slice(1)));
const design = { X, group };
const K = { X: matrix("N", "K"), group: vector("N") };

describe("the density of a formula equals that of the model written by hand", () => {
  const y = { ...K, y: vector("N") };
  const sdY = deviation(columns.y);
  const median = (values: readonly number[]): number => {
    const sorted = [...values].sort((a, b) => a - b);
    return (sorted[N / 2 - 1] + sorted[N / 2]) / 2;
  };
  const centre = Math.round(10 * median(columns.y)) / 10;
  const spread = Math.max(2.5, Math.round(14.826 * median(columns.y.map((value) => Math.abs(value - median(columns.y))))) / 10);

  it("gaussian with correlated intercepts and slopes", async () => {
    const hand = model({ ...y, x: vector("N") }, ({ X, group, x, y, param, observe }) => {
      const alpha = param("alpha", student(3, centre, spread));
      const b = param(
        "b",
        normal(
          0,
          scales.map((scale) => scale * sdY),
        ),
        { shape: "K" },
      );
      const sd = param("sd", halfStudent(3, spread), { shape: 2 });
      const factor = param("L", lkjCholesky(2, 1));
      const effects = param("u", multivariateNormalCholesky([0, 0], mul(reshape(sd, [2, 1]), factor)), {
        shape: 5,
        centred: false,
      });
      const sigma = param("sigma", halfStudent(3, spread));
      const own = take(effects, group);
      observe(y, normal(add(add(add(matmul(X, b), alpha), at(own, 0, 1)), mul(at(own, 1, 1), x)), sigma));
      return {};
    });
    const ours = await conditioned("y ~ x + f + (x | g)");
    await expectSameDensity(ours, await hand.condition({ ...design, x: columns.x, y: columns.y }));
  });

  it("student with uncorrelated effects and custom priors", async () => {
    const hand = model({ ...y, x: vector("N") }, ({ X, group, x, y, param, observe }) => {
      const alpha = param("alpha", normal(1, 2));
      const b = param("b", normal(0, 3), { shape: 2 });
      const own = param("b of x", student(4, 0, 1));
      const sd = param("sd", halfNormal(2), { shape: 1 });
      const wide = param("sd of x", normal(0, 5), { shape: 1, lower: 0 });
      const effects = param("u", normal(0, stack([at(sd, 0), at(wide, 0)])), { shape: [5, 2], centred: false });
      const sigma = param("sigma", halfStudent(3, spread));
      const nu = param("nu", gamma(2, 0.1), { lower: 1 });
      const all = stack([own, at(b, 0), at(b, 1)]);
      const each = take(effects, group);
      observe(y, student(nu, add(add(add(matmul(X, all), alpha), at(each, 0, 1)), mul(at(each, 1, 1), x)), sigma));
      return {};
    });
    const priors = {
      b: normal(0, 3),
      x: student(4, 0, 1),
      Intercept: normal(1, 2),
      "sd(g)": halfNormal(2),
      "sd(g): x": normal(0, 5),
    };
    const ours = await conditioned("y ~ x + f + (x || g)", { family: "student", priors });
    // The prior family of the first coefficient comes first.
    const order = ours.parameters.map(({ name }) => name);
    expect(order.slice(0, 5)).toEqual(["Intercept", "b", "b 2", "sd(g): Intercept, x", "sd(g): Intercept, x 2"]);
    const theirs = await hand.condition({ ...design, x: columns.x, y: columns.y });
    const random = stream(1, "points").at(0);
    const u = Float64Array.from({ length: ours.dimension }, () => 2 * random.uniform() - 1);
    const turned = u.slice();
    // Here, b precedes b of x. In the model written by hand, the order is reversed.
    [turned[1], turned[2], turned[3]] = [u[2], u[3], u[1]];
    expect(ours.logDensity(u)).toBeCloseTo(theirs.logDensity(turned), 10);
  });

  const small = (
    name: FamilyName,
    respond: (eta: SymbolicArray, threshold: SymbolicArray, param: ModelContext["param"], trials: SymbolicArray) => Distribution,
    response: readonly number[],
    location: number,
    width: number,
  ) =>
    model({ ...y, trials: vector("N") }, ({ X, y, trials, param, observe }) => {
      const alpha = name === "ordinal" ? undefined : param("alpha", student(3, location, width));
      const threshold =
        name === "ordinal" ? param("threshold", student(3, 0, 2.5), { shape: 2, constraint: "ordered" }) : undefined;
      const b = param("b", normal(0, scales), { shape: "K" });
      const eta = alpha ? add(matmul(X, b), alpha) : matmul(X, b);
      observe(y, respond(eta, threshold ?? y, param, trials));
      return {};
    }).condition({ ...design, y: response, trials: columns.trials });
  const logs = (values: readonly number[]): number[] => values.map((value) => Math.log(value === 0 ? 0.1 : value));
  const rounded = (value: number): number => Math.round(10 * value) / 10;
  const spreadOf = (values: readonly number[]): number =>
    Math.max(2.5, rounded(1.4826 * median(values.map((value) => Math.abs(value - median(values))))));

  it.each<[FamilyName, string, () => Promise<ConditionedModel>]>([
    ["bernoulli", "flag ~ x + f", () => small("bernoulli", (eta) => bernoulliLogit(eta), columns.flag, 0, 2.5)],
    [
      "binomial",
      "count | trials(trials) ~ x + f",
      () => small("binomial", (eta, _, __, trials) => binomialLogit(trials, eta), columns.count, 0, 2.5),
    ],
    [
      "poisson",
      "count ~ x + f",
      () =>
        small(
          "poisson",
          (eta) => poissonLog(eta),
          columns.count,
          rounded(median(logs(columns.count))),
          spreadOf(logs(columns.count)),
        ),
    ],
    [
      "negativeBinomial",
      "count ~ x + f",
      () =>
        small(
          "negativeBinomial",
          (eta, _, param) => negativeBinomialMean(exp(eta), param("shape", inverseGamma(0.4, 0.3))),
          columns.count,
          rounded(median(logs(columns.count))),
          spreadOf(logs(columns.count)),
        ),
    ],
    [
      "gamma",
      "z ~ x + f",
      () =>
        small(
          "gamma",
          (eta, _, param) => {
            const shape = param("shape", gamma(0.01, 0.01));
            return gamma(shape, div(shape, exp(eta)));
          },
          columns.z,
          rounded(median(logs(columns.z))),
          spreadOf(logs(columns.z)),
        ),
    ],
    [
      "ordinal",
      "size ~ x + f",
      () =>
        small(
          "ordinal",
          (eta, threshold) => orderedLogistic(eta, threshold),
          columns.size.map((size) => ["S", "M", "L"].indexOf(size)),
          0,
          0,
        ),
    ],
  ])("%s: %s", async (family, formula, hand) => {
    await expectSameDensity(await conditioned(formula, { family, levels: { size: ["S", "M", "L"] } }), await hand());
  });

  it("a formula without an intercept, with an offset and only an interaction", async () => {
    const hand = model({ x: vector("N"), z: vector("N"), y: vector("N") }, ({ x, z, y, param, observe }) => {
      const b = param("b", normal(0, (2.5 * sdY) / deviation(columns.x.map((value, i) => value * columns.z[i]))), { shape: 1 });
      const sigma = param("sigma", halfStudent(3, spread));
      observe(y, normal(add(mul(mul(x, z), at(b, 0)), add(neg(z), z.mul(2))), sigma));
      return {};
    });
    const ours = await conditioned("y ~ 0 + x:z + offset(I(-z)) + offset(I(2 * z))");
    await expectSameDensity(ours, await hand.condition(columns as never));
  });
});

describe("default priors", () => {
  const intercept = (family: FamilyName, y: readonly number[]): [centre: number, scale: number] => {
    const found = new Priors({}, familyOf(family), Float64Array.from(y)).intercept();
    // With 3 degrees of freedom, the variance is three times the squared scale.
    return [found.mean() as number, Math.sqrt((found.variance() as number) / 3)];
  };

  it.each<[FamilyName, readonly number[], number, number]>([
    ["gaussian", [1, 2, 3, 4, 100], 3, 2.5],
    ["gaussian", [10, 20, 30, 40, 1000], 30, 14.8],
    ["student", [10, 20, 30, 40, 1000], 30, 14.8],
    ["poisson", [0, 0, 0, 5, 9], -2.3, 2.5],
    ["poisson", [1, 1, 3, 500, 90_000], 1.1, 2.5],
    ["negativeBinomial", [7, 1, 3, 500, 90_000], 1.9, 2.9],
    ["gamma", [0.5, 0.5, 0.5, 2, 2], -0.7, 2.5],
    ["bernoulli", [1, 1, 1, 1, 0], 0, 2.5],
    ["binomial", [9, 8, 7, 6, 5], 0, 2.5],
  ])("the intercept has the prior of brms: %s of %o", (family, y, centre, scale) => {
    const [found, width] = intercept(family, y);
    expect(found).toBeCloseTo(centre, 10);
    expect(width).toBeCloseTo(scale, 10);
  });
});

describe("quantities in the draws", () => {
  it("are named by columns, levels and groups", async () => {
    const ours = await conditioned("y ~ x * f + s(z, k = 4) + (x | g) + (1 | f:g)");
    const names = ours.quantities.map(({ name }) => name);
    expect(names.slice(0, 16)).toEqual([
      ...["Intercept", "x", "fb", "fc", "x:fb", "x:fc", "s(z)", "sd(s(z))"],
      ...["sd(g): Intercept", "sd(g): x", "cor(g): Intercept, x", "sd(f:g): Intercept", "sigma"],
      ...["g[g0]: Intercept", "g[g0]: x", "g[g1]: Intercept"],
    ]);
    expect(names.length).toBe(13 + 10 + 15);
    expect(names.at(-1)).toBe("f:g[c:g4]: Intercept");
  });

  it("state the intercept and thresholds at the point where all columns are 0", async () => {
    const line = await conditioned("y ~ x");
    const u = Float64Array.of(1, 2, 0.5);
    const { Intercept, x, sigma } = line.constrain(u);
    expect(x[0]).toBe(2);
    expect(sigma[0]).toBeCloseTo(Math.exp(0.5), 12);
    expect(Intercept[0]).toBeCloseTo(1 - 2 * mean(columns.x), 12);
    const ordinal = await conditioned("size ~ x", { family: "ordinal", levels: { size: ["S", "M", "L"] } });
    const { threshold } = ordinal.constrain(Float64Array.of(-1, 0, 2));
    const { threshold: same } = (
      await conditioned("size ~ 0 + x", { family: "ordinal", levels: { size: ["S", "M", "L"] } })
    ).constrain(Float64Array.of(-1, 0, 2));
    expect(same).toEqual(threshold);
    expect([...threshold].map((value) => value.toFixed(10))).toEqual(
      [-1, 0].map((value) => (value + 2 * mean(columns.x)).toFixed(10)),
    );
  });

  it("list each coefficient by name if priors have several families", async () => {
    const wide = student(3, 0, 9);
    const ours = await conditioned("y ~ x + f + z", { priors: { fb: wide, fc: wide } });
    expect(ours.parameters.slice(0, 4).map(({ name, size }) => [name, size])).toEqual([
      ["Intercept", 1],
      ["b", 2],
      ["b 2", 2],
      ["sigma", 1],
    ]);
    const { x, fb, fc, z } = ours.constrain(Float64Array.of(0, 1, 2, 3, 4, 0));
    expect([x[0], fb[0], fc[0], z[0]]).toEqual([1, 3, 4, 2]);
  });

  it("include correlations of all pairs and group effects by level and effect", async () => {
    const ours = await conditioned("y ~ 1 + (f | g)");
    const random = stream(3, "u").at(0);
    const u = Float64Array.from({ length: ours.dimension }, () => random.normal());
    const values = ours.constrain(u);
    const all = ours.parameterValuesOf(u);
    const factor = all["cor(g: Intercept, fb, fc)"];
    const dot = (i: number, j: number): number => [0, 1, 2].reduce((sum, k) => sum + factor[3 * i + k] * factor[3 * j + k], 0);
    expect(values["cor(g): Intercept, fb"][0]).toBeCloseTo(dot(0, 1), 12);
    expect(values["cor(g): Intercept, fc"][0]).toBeCloseTo(dot(0, 2), 12);
    expect(values["cor(g): fb, fc"][0]).toBeCloseTo(dot(1, 2), 12);
    const effects = all["g: Intercept, fb, fc"];
    expect(values["g[g1]: fc"][0]).toBe(effects[5]);
    // The effects of a group are diag(sd) L v.
    const v = u.subarray(ours.parameters.find(({ name }) => name === "g: Intercept, fb, fc")!.offset);
    const sd = values["sd(g): fb"][0];
    expect(values["g[g0]: fb"][0]).toBeCloseTo(sd * (factor[3] * v[0] + factor[4] * v[1]), 12);
  });

  it("are loaded from files under the same names", async () => {
    const folder = mkdtempSync(join(tmpdir(), "formula-"));
    try {
      const posterior = await sample(regression("y ~ x:f + (1 | g)"), columns, { seed: 1, chains: 2, warmup: 20, draws: 5 });
      await saveDraws(posterior, folder);
      const read = await loadDraws(folder);
      expect(read.quantities).toEqual(posterior.quantities.map(({ name, shape, kind }) => ({ name, shape, kind })));
      expect([...read.draws("x:fb")]).toEqual([...posterior.draws("x:fb")]);
      expect(readFileSync(join(folder, "chain_1.csv"), "utf8")).toContain(
        ",Intercept,x_fa,x_fb,x_fc,sd(g)_Intercept,sigma,g_g0_Intercept,",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("new rows have the same numbers as rows of the data", () => {
  it.each<[string, FamilyName]>([
    ["y ~ x * f + log(z) + s(x, k = 5) + offset(z) + (x + f | g) + (1 | f:g)", "gaussian"],
    ["y ~ 0 + f:x + (0 + x || g)", "gaussian"],
    ["count | trials(trials) ~ factor(flag) + I(x^2 - z)", "binomial"],
    ["size ~ x + f", "ordinal"],
  ])("%s", (formula, family) => {
    const plan = new Plan(readFormula(formula), familyOf(family), new Columns("test", columns, { size: ["S", "M", "L"] }));
    const { [plan.formula.response.label]: _, ...fields } = plan.data as Record<string, Float64Array>;
    expect(Object.keys(fields).length).toBeGreaterThan(0);
    const wanted = columnsOfFormula(plan.formula);
    for (let i = 0; i < N; i++) {
      const row = Object.fromEntries(wanted.map((name) => [name, columns[name as "x"][i]]));
      const numbers = numbersOfRow(plan, row, "test");
      expect(Object.keys(numbers)).toEqual(Object.keys(fields));
      for (const [name, all] of Object.entries(fields)) {
        const width = all.length / N;
        expect([...numbers[name]]).toEqual([...all.subarray(i * width, (i + 1) * width)]);
      }
    }
  });
});

describe("predictions", () => {
  it("equal those of the draws, for known and new groups", async () => {
    const posterior = await sample(regression("y ~ x + f + (x | g)"), columns, { seed: 1, chains: 2, warmup: 200, draws: 400 });
    const row = { x: 0.7, f: "b", g: "g3" };
    const series = (name: string): Float64Array => posterior.draws(name);
    const fixed = series("Intercept").map((alpha, k) => alpha + 0.7 * series("x")[k] + series("fb")[k]);
    const known = fixed.map((eta, k) => eta + series("g[g3]: Intercept")[k] + 0.7 * series("g[g3]: x")[k]);
    const [a, b, c] = await posterior.predict([row, { ...row, g: "else" }, { ...row, g: "another" }], { level: 0.8 });
    expect(a.y.mean).toBeCloseTo(mean([...known]), 10);
    const within = mean([...series("sigma")].map((sigma) => sigma * sigma));
    const between = (values: Float64Array): number => mean([...values].map((value) => value * value)) - mean([...values]) ** 2;
    expect(a.y.sd).toBeCloseTo(Math.sqrt(within + between(known)), 8);
    expect(b).toEqual(c);
    // For a new group, the effects have mean 0 and the population variance of each draw.
    const population = series("sd(g): Intercept").map((s, k) => {
      const [t, rho] = [0.7 * series("sd(g): x")[k], series("cor(g): Intercept, x")[k]];
      return s * s + t * t + 2 * rho * s * t;
    });
    const sd = Math.sqrt(within + between(fixed) + mean([...population]));
    const error = sd / Math.sqrt(800);
    expect(Math.abs(b.y.mean - mean([...fixed]))).toBeLessThan(4.5 * error);
    // Because sd has heavy tails, the relative error of the drawn variance is about 1.5 √(2/800).
    expect(Math.abs(b.y.sd / sd - 1)).toBeLessThan(0.5 * 4.5 * 1.5 * Math.sqrt(2 / 800));
    expect(b.y.sd).toBeGreaterThan(a.y.sd);
    expect(a.y.upper - a.y.lower).toBeLessThan(2 * 1.5 * a.y.sd);
  });

  it("are the same for one row as for many and depend only on the seed", async () => {
    const posterior = await sample(regression("count ~ x + (1 | g)", { family: "poisson" }), columns, {
      seed: 1,
      chains: 1,
      warmup: 100,
      draws: 50,
    });
    const rows = ["g0", "g1", "none"].map((g, i) => ({ x: i, g }));
    const together = await posterior.predict(rows, { seed: 3 });
    for (const [i, row] of rows.entries()) expect(await posterior.predict([row], { seed: 3 })).toEqual([together[i]]);
    const predictor = await posterior.predictor({ seed: 3 });
    expect([predictor.columns, predictor.outputs]).toEqual([["x", "g"], ["count"]]);
    expect(predictor.predict(rows[2])).toEqual(together[2]);
    const message = '1 of 3 rows had a new group of "g" ("none"), so its effects were drawn from the population';
    expect(predictor.newGroups(rows)).toEqual([{ kind: "new level", column: "g", rows: 1, of: 3, message }]);
    expect(predictor.newGroups(rows.slice(0, 2))).toEqual([]);
    // Means have no noise. They depend on the seed only through the effects of new groups.
    const [known, , fresh] = await posterior.predict(rows, { seed: 4 });
    expect(known.count.mean).toBe(together[0].count.mean);
    expect(fresh.count.mean).not.toBe(together[2].count.mean);
    const out = new Float64Array(3 * predictor.width);
    expect(predictor.predictInto(rows, out)).toBe(3);
    expect(out[0]).toBe(together[0].count.mean);
    predictor.dispose();
  });

  it("state the probability of the second level, or of 1", async () => {
    const text = { ...columns, answer: columns.flag.map((flag) => (flag === 1 ? "yes" : "no")) };
    const run = { seed: 1, chains: 1, warmup: 100, draws: 50 };
    const [byText, byNumber] = [
      await sample(regression("answer ~ x", { family: "bernoulli" }), text, run),
      await sample(regression("flag ~ x", { family: "bernoulli" }), text, run),
    ];
    expect([...byText.draws("x")]).toEqual([...byNumber.draws("x")]);
    const [{ answer }] = await byText.predict([{ x: 1 }]);
    expect(answer.mean).toBeGreaterThan(0);
    expect(answer.mean).toBeLessThan(1);
  });
});

describe("a regression is a model", () => {
  const wide = { b: normal(0, 1e4), Intercept: normal(0, 1e4) };
  it.each<[string, string, FamilyName]>([
    ["warpbreaks", "breaks ~ wool * tension", "poisson"],
    ["infert", "case ~ spontaneous + induced + education", "bernoulli"],
    ["chickwts", "weight ~ feed", "gaussian"],
  ])("has R's estimate as its mode under wide priors: %s", async (name, formula, family) => {
    const { names, values, data } = golden.estimates[name];
    const ordered = { tension: ["L", "M", "H"], education: ["0-5yrs", "6-11yrs", "12+ yrs"] };
    const levels = Object.fromEntries(Object.entries(ordered).filter(([column]) => column in data));
    const mode = await fit(regression(formula, { family, levels, priors: wide }), data, { seed: 1 });
    for (const [j, column] of names.entries())
      expect(mode.values[column === "(Intercept)" ? "Intercept" : column][0]).toBeCloseTo(values[j], name === "chickwts" ? 1 : 3);
    expect(mode.converged).toBe(true);
  });

  it("works with loo, check, predict, summaries and approximations", async () => {
    const line = regression("y ~ x + (1 | g)", { name: "line" });
    expect([line.name, line.kind, regression(" y ~ x ").name]).toEqual(["line", "statistical", "y ~ x"]);
    const posterior = await sample(line, columns, { seed: 1, warmup: 200, draws: 100 });
    expect(posterior.loo("y").pointwise.elpd.length).toBe(N);
    expect(posterior.predict({ seed: 1 }).shape("y")).toEqual([N]);
    expect(posterior.check("y", { seed: 1 }).suspect).toEqual([]);
    expect(posterior.verdict().text).not.toContain("centred: true");
    expect(() => posterior.draws("sd(g)")).toThrow(
      /^draws: there is no "sd\(g\)"; did you mean "sd\(g\): Intercept"\? there are Intercept, x, sd\(g\): Intercept, sigma, g\[.*, … \(\d+ in all, in draws\.quantities\)/,
    );
    const near = await sample(line, columns, { algorithm: pathfinder({ paths: 1, draws: 10 }), seed: 1, draws: 10 });
    expect(Math.abs(near.mean("x")[0] - posterior.mean("x")[0])).toBeLessThan(posterior.summary().x.sd);
    const before = await sample(line, columns, { algorithm: prior(), seed: 1, draws: 10 });
    expect(before.quantities).toEqual(posterior.quantities);
  });

  it("lists the priors in use with their numbers", () => {
    const [y, x, g, k] = [
      [1, 2, 3, 4, 9, 0],
      [1, 2, 3, 4, 5, 6],
      ["a", "a", "b", "b", "c", "c"],
      [0, 1, 2, 3, 4, 5],
    ];
    const unit = (2.5 * Math.sqrt(61 / 6)) / Math.sqrt(3.5);
    const priors = regression("y ~ x + (x | g)", { priors: { sigma: normal(0, 4) } }).priors({ y, x, g });
    expect(priors).toEqual({
      Intercept: "student(3, 2.5, 2.5)",
      x: `normal(0, ${Number(unit.toPrecision(4))})`,
      "sd(g): Intercept": "halfStudent(3, 2.5)",
      "sd(g): x": "halfStudent(3, 2.5)",
      "cor(g)": "lkj(1)",
      sigma: "normal(0, 4)",
    });
    expect(`${priors}`.split("\n")[4]).toBe("cor(g)            lkj(1)");
    const counts = regression("k ~ x", { family: "negativeBinomial", priors: { x: normal(0, 1) } }).priors({ k, x });
    expect(counts).toEqual({ Intercept: "student(3, 0.9, 2.5)", x: "normal(0, 1)", shape: "inverseGamma(0.4, 0.3)" });
  });

  it("accepts lists of rows and batches of rows", async () => {
    const rows = columns.x.map((x, i) => ({ x, y: columns.y[i], f: columns.f[i] }));
    const run = { seed: 1, chains: 1, warmup: 50, draws: 20, deterministic: true };
    const [a, b] = [await sample(regression("y ~ x + f"), rows, run), await sample(regression("y ~ x + f"), columns, run)];
    expect([...a.draws("fb")]).toEqual([...b.draws("fb")]);
    const some = await sample(regression("y ~ x + f"), rows, {
      algorithm: sgld({ stepSize: 1e-4, batch: 6 }),
      rows: "N",
      seed: 1,
      draws: 20,
      warmup: 20,
    });
    expect(some.quantities.map(({ name }) => name)).toEqual(["Intercept", "x", "fb", "fc", "sigma"]);
  });

  it("calibrates with the priors of the original data", async () => {
    const few = { x: columns.x.slice(0, 10), y: columns.y.slice(0, 10) };
    const priors = { sigma: halfNormal(1), Intercept: normal(0, 1) };
    const rows = few.x.map((x, i) => ({ x, y: few.y[i] }));
    const calibration = await calibrate(regression("y ~ x", { priors }), rows, {
      simulations: power(40, 100),
      draws: 19,
      bins: power(5, 10),
      warmup: 100,
      seed: 1,
      algorithm: nuts(),
    });
    expect(calibration.calibrated).toBe(true);
    const { model: fixed, data } = regression("y ~ x").ofNumbers!(few);
    const u = Float64Array.of(0.3, 0.2, 0.1);
    const shifted = { ...data, y: few.y.map((value) => value + 1000) };
    const [there, here] = [await fixed.condition(data), await fixed.condition(shifted)];
    const likelihood = (density: ConditionedModel): number => density.pointwise(u).y.reduce((sum, term) => sum + term, 0);
    expect(there.logDensity(u) - likelihood(there)).toBeCloseTo(here.logDensity(u) - likelihood(here), 6);
  });

  it("has types that accept data and rows", () => {
    const line: StatisticalModel<FormulaData> = regression("y ~ x");
    expect(line.kind).toBe("statistical");
  });
});
