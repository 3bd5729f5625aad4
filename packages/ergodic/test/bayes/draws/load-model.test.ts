/** Draws that are loaded with their model predict exactly what the run predicted. Other models and data are refused. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDrawsArrow, writeDrawsArrow } from "@ergodic/ingest/draws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add, exp, matmul, mul, type SymbolicArray, sum, take } from "../../../src/engine/compiler/index.ts";
import {
  bernoulli,
  conjugate,
  Draws,
  type DrawsModel,
  dirichlet,
  enumerate,
  exponential,
  fromCmdStanCsv,
  gibbs,
  halfCauchy,
  lkjCholesky,
  loadDraws,
  matrix,
  model,
  normal,
  poisson,
  type SampleOptions,
  type StatisticalModel,
  sample,
  saveDraws,
  sgld,
  stream,
  toCmdStanCsv,
  uniform,
  vector,
  withModel,
} from "../../../src/entries/everything.ts";

const folder = mkdtempSync(join(tmpdir(), "load-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

const noise = stream(3, "load").at(0);
const group = Array.from({ length: 24 }, (_, i) => i % 4);
const x = group.map((_, i) => [1, Math.sin(i)]);
const y = x.map(([, s], i) => 2 * s + group[i] + noise.normal());
const data = { group, x, y, counts: y.map((value) => Math.round(Math.abs(value))) };

/** A model with every kind of constraint and a non-centred parameter. `more` adds quantities of a changed model. */
const rich = (more: (values: Record<string, SymbolicArray>) => object = () => ({}), scale = 2): StatisticalModel =>
  model(
    (context) => {
      const { param, observe, data: given, generated, transformed } = context;
      const { group, x, y, counts } = given({
        group: vector("N"),
        x: matrix("N", "K"),
        y: vector("N"),
        counts: vector("N"),
      });
      const mu = param("mu", normal(0, 3));
      const tau = param("tau", halfCauchy(1));
      const effects = param("effects", normal(mu, tau), { shape: 4, centred: false });
      const beta = param("beta", normal(0, scale), { shape: "K" });
      const share = param("share", uniform(0, 1));
      const parts = param("parts", dirichlet([1, 2, 3]));
      const cuts = param("cuts", normal(0, 2), { shape: 3, constraint: "ordered" });
      const L = param("L", lkjCholesky(3, 2));
      const sigma = param("sigma", exponential(1), { lower: 0.25 });
      const mean = add(add(take(effects, group), matmul(x, beta)), mul(share, sum(mul(parts, cuts))));
      observe(y, normal(mean, sigma));
      observe(counts, poisson(exp(mul(0.1, add(mean, sum(L))))));
      transformed("spread", mul(tau, sigma));
      generated("again", normal(mean, sigma));
      for (const [name, value] of Object.entries(more({ mean, sigma, tau }))) generated(name, value);
    },
    { name: "rich" },
  );
const short: SampleOptions = { chains: 2, warmup: 60, draws: 40, seed: 5 };

/** Numeric results that require the model. */
function said(draws: Draws, name: string) {
  const { pointwise, kind, elpd } = draws.loo(name);
  return {
    pointwise: { ...pointwise },
    kind,
    elpd,
    waic: draws.waic(name).elpd,
    check: { ...draws.check(name, { seed: 2 }).statistics },
    predicted: draws.predict({ seed: 9 }).content.values,
  };
}

async function read(format: "csv" | "json" | "arrow", draws: Draws, given: DrawsModel<StatisticalModel>): Promise<Draws> {
  if (format === "arrow") return readDrawsArrow(await writeDrawsArrow(draws), given);
  await saveDraws(draws, join(folder, format), { format });
  return loadDraws(join(folder, format), given);
}

describe.each([true, false])("deterministic: %s", (deterministic) => {
  let run: Draws;
  beforeAll(async () => {
    run = await sample(rich(), data, { ...short, deterministic });
  });

  it.each(["csv", "json", "arrow"] as const)("draws of %s give the predictions of the run bit for bit", async (format) => {
    const found = await read(format, run, { model: rich(), data });
    expect(found.quantities).toEqual(run.quantities.map(({ name, shape, kind }) => ({ name, shape, kind })));
    expect(found.content.values).toEqual(run.content.values);
    expect(found.summary()).toEqual(run.summary());
    for (const name of ["y", "counts"]) expect(said(found, name)).toEqual(said(run, name));
    expect(() => found.loo()).toThrow(/2 things were observed; name one of y, counts/);
  });

  it("uses the run's build of the kernels", async () => {
    const asked: unknown[] = [];
    const own = rich();
    const watched: StatisticalModel = {
      ...own,
      condition(given, options) {
        asked.push(options);
        return own.condition(given, options);
      },
    };
    await read("csv", run, { model: watched, data });
    expect(asked).toEqual([{ deterministic }]);
  });

  it("predictors of new rows agree", async () => {
    const found = await read("csv", run, { model: rich(), data });
    const row = { group: 2, x: [1, 0.5] };
    const [a, b] = [await run.predictor({ seed: 1 }), await found.predictor({ seed: 1 })];
    expect(b.predict(row as never)).toEqual(a.predict(row as never));
    a.dispose();
    b.dispose();
  });

  it("new quantities are computed, redefined ones recomputed and derived ones kept", async () => {
    const changed = rich(({ mean, sigma, tau }) => ({
      ratio: mul(tau, 3),
      next: normal(sum(mean), sigma),
    }));
    const found = await read(
      "json",
      run.derive("square", ({ tau }) => tau * tau),
      { model: changed, data },
    );
    expect(found.quantities.map(({ name }) => name)).toEqual([
      ...["mu", "tau", "effects", "beta", "share", "parts", "cuts", "L", "sigma", "spread"],
      ...["ratio", "again", "next", "square"],
    ]);
    const tau = run.draws("tau");
    found.draws("ratio").forEach((value, k) => void expect(value).toBeCloseTo(3 * tau[k], 12));
    expect(found.draws("square")).toEqual(tau.map((value) => value * value));
    expect(found.draws("again")).toEqual(run.draws("again"));
    expect(new Set(found.draws("next")).size).toBe(80);
    expect(said(found, "y")).toEqual(said(run, "y"));
    // "spread" with another meaning.
    const other = await read("csv", new Draws({ ...run.content, values: { ...run.content.values, spread: tau.slice() } }), {
      model: rich(),
      data,
    });
    other.draws("spread").forEach((value, k) => void expect(value).toBeCloseTo(run.draws("spread")[k], 12));
  });
});

describe("joining draws with their model", () => {
  const sides = model(({ data: given, param, observe }) => {
    const { y } = given({ y: vector("N") });
    const high = param("high", bernoulli(0.5), { shape: "N" });
    const places = param("places", normal(0, 5), { shape: 2 });
    observe(y, normal(take(places, high), 1));
  });
  const four = { y: [-3.2, -2.8, 3.1, 2.9] };
  const plain = model(({ data: given, param, observe, generated }) => {
    const { y } = given({ y: vector("N") });
    const mu = param("mu", normal(0, 5));
    observe(y, normal(mu, 1));
    generated("twice", mul(2, mu));
  });

  it("accepts draws from Gibbs steps with whole numbers", async () => {
    const run: Draws = await sample(sides, four, { ...short, algorithm: gibbs({ high: enumerate(), places: conjugate() }) });
    const found = await read("csv", run, { model: sides, data: four });
    expect(found.predict({ seed: 3 }).draws("y")).toEqual(run.predict({ seed: 3 }).draws("y"));
    expect(found.loo().elpd).toEqual(run.loo().elpd);
  });

  it("accepts draws from batches of rows", async () => {
    const algorithm = sgld({ stepSize: 0.01, batch: 2 });
    const run: Draws = await sample(plain, four, { ...short, algorithm, rows: "N", chains: 1 });
    const found = await read("json", run, { model: plain, data: four });
    expect(found.predict({ seed: 3 }).draws("y")).toEqual(run.predict({ seed: 3 }).draws("y"));
  });

  it("accepts draws of CmdStan for a model with the same parameters", async () => {
    const run: Draws = await sample(plain, four, short);
    const text = [0, 1].map((chain) => toCmdStanCsv(run, chain).replace(/^# ergodic = .*\n/m, ""));
    const stan = fromCmdStanCsv(text);
    const found: Draws = await withModel(stan, { model: plain, data: four });
    expect(found.predict({ seed: 3 }).draws("y")).toEqual(run.predict({ seed: 3 }).draws("y"));
    expect(found.quantities.map(({ name, kind }) => [name, kind])).toEqual([
      ["mu", "parameter"],
      ["twice", "generated"],
    ]);
  });

  it("returns no draws for a run that was stopped during warm-up", async () => {
    const run: Draws = await sample(plain, four, { ...short, draws: 0 });
    const found = await read("json", run, { model: plain, data: four });
    expect(found.count).toBe(0);
    expect(() => found.loo()).toThrow(/there are no draws/);
  });

  it("refuses another model or other data", async () => {
    const run: Draws = await sample(plain, four, short);
    const refused = (changed: StatisticalModel, given: object = four) =>
      read("csv", run, { model: changed, data: given as never });
    const other = (name: string, shape: number[], sd = 5): StatisticalModel =>
      model(
        ({ data: given, param, observe }) => {
          const mu = param(name, normal(0, sd), { shape });
          observe(given({ y: vector("N") }).y, normal(sum(mu), 1));
        },
        { name: "other" },
      );
    await expect(refused(other("nu", []))).rejects.toThrow(
      'loadDraws: the draws have other parameters than the model "other": the draws lack "nu", and the model lacks "mu" of the draws; give the model and the data from which they were drawn [DRAWS_MODEL]',
    );
    await expect(refused(other("mu", [3]))).rejects.toThrow(
      /parameters than the model "other": "mu" has shape \[\] in the draws, but \[3\] in the model; give/,
    );
    await expect(refused(plain, { y: [1, 2, 3] })).rejects.toThrow(
      'loadDraws: data "y" has shape [3], but had [4] when the draws were made; give the model and the data from which they were drawn [DRAWS_MODEL]',
    );
    await expect(refused(plain, { y: [1, 2, 3, 4] })).rejects.toThrow(
      /was .* when the draws were made: priors, likelihood or data have changed/,
    );
    await expect(refused(other("mu", [], 4))).rejects.toThrow(/priors, likelihood or data have changed/);
    // Densities that were not finite or 0 are compared too. Older files hold no density.
    const probed = (probe: unknown) => {
      const { probe: _, ...description } = run.description;
      const changed = probe === undefined ? description : { ...description, probe };
      return read("json", new Draws({ ...run.content, description: changed as never }), { model: plain, data: four });
    };
    await expect(probed(null)).rejects.toThrow(/, but was not finite when the draws were made: priors, likelihood or data/);
    await expect(probed(0)).rejects.toThrow(/, but was 0 when the draws were made/);
    for (const probe of [undefined, run.description.probe]) expect((await probed(probe)).count).toBe(run.count);
    const broken = new Draws({ ...run.content, values: { ...run.content.values, mu: run.draws("mu").with(41, Number.NaN) } });
    await expect(read("csv", broken, { model: plain, data: four })).rejects.toThrow(
      /draw 2 of chain 2 is not possible in this model: "mu"/,
    );
    const left = new Draws({
      ...run.content,
      quantities: [...run.quantities, { name: "extra", shape: [], kind: "parameter" }],
      values: { ...run.content.values, extra: run.draws("mu") },
    });
    await expect(read("csv", left, { model: plain, data: four })).rejects.toThrow(
      /parameters than the model "model": the model lacks "extra" of the draws; give/,
    );
  });

  it("refuses a model without data or data without a model", async () => {
    await expect(loadDraws("none", { model: plain } as never)).rejects.toThrow(
      /loadDraws: data is undefined, but must be an object/,
    );
    await expect(loadDraws("none", { model: 3, data: {} } as never)).rejects.toThrow(
      /loadDraws: model is 3, but must be a model\(\)/,
    );
    await expect(loadDraws("none", { modle: plain, data: {} } as never)).rejects.toThrow(/unknown option "modle"/);
  });
});
