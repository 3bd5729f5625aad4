/**
 * Findings about trained models: an objective that is worse than at the start, for every verb, and separable classes
 * without a penalty.
 */
import { describe, expect, it } from "vitest";
import { compileFunction, normal as drawn } from "../../../src/engine/compiler/array/index.ts";
import { add, mul, sub, sum } from "../../../src/engine/compiler/index.ts";
import { meanOfBlocks, worseFindings } from "../../../src/engine/errors/worse.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  adagrad,
  adam,
  coordinateDescent,
  coordinateTarget,
  Dataset,
  dense,
  factorisation,
  fit,
  huberLoss,
  lbfgs,
  linear,
  minimize,
  model,
  network,
  newtonCholesky,
  normal,
  Ratings,
  relu,
  sgd,
  vector,
} from "../../../src/entries/everything.ts";

/** Rows of three columns. `label` classifies them. */
function rowsOf(count: number, label?: (z: number, noise: number) => string): Dataset {
  const draws = stream(count, "rows").at(0);
  const x = Array.from({ length: count }, () => [draws.normal(), draws.normal(), draws.normal()]);
  const y = x.map(([a, b]) => [2 * a - b, draws.normal()] as const);
  return Dataset.fromArrays({ x, y: y.map(([z, noise]) => label?.(z, noise) ?? z + 0.5 * noise) as number[] });
}
const noisy = (z: number, noise: number): string => (z + 0.5 * noise > 0 ? "yes" : "no");
const codes = ({ run }: { readonly run: { readonly findings: readonly { readonly code: string }[] } }): string[] =>
  run.findings.map(({ code }) => code);

describe("worseFindings", () => {
  it("reports at most 6 in 10,000 comparisons of 16 blocks if losses differ only by noise", () => {
    const draws = stream(1, "blocks").at(0);
    const comparisons = 20_000;
    let accused = 0;
    for (let k = 0; k < comparisons; k++) {
      const starts = Array.from({ length: 16 }, () => 0.01 * draws.normal());
      const ends = starts.map((start) => start + draws.normal());
      accused += worseFindings(meanOfBlocks(starts, ends), "the loss").length;
    }
    // P(t15 > 4) = 5.8e-4, so 11.6 are expected, and more than 28 have a probability of 1e-5.
    expect(accused).toBeGreaterThan(0);
    expect(accused).toBeLessThanOrEqual(28);
  });

  it("reports both values and the error, and nothing below the noise, the share or rounding", () => {
    const [finding] = worseFindings({ start: 0.5, end: 0.9, error: 0.05 }, "the loss");
    expect(finding).toEqual({
      code: "worse",
      serious: true,
      text: "the result is worse than the start: the loss is 0.9, but was 0.5, and the difference has a standard error of 0.05",
      advice: expect.stringContaining("smaller rate"),
    });
    const found = (end: number, error: number, share?: number): number =>
      worseFindings({ start: 0.5, end, error }, "the loss", share).length;
    expect([found(0.9, 0.1), found(0.9, 0.099), found(0.2, 0), found(0.5, 0), found(Number.NaN, 0)]).toEqual([0, 1, 0, 0, 0]);
    expect([found(0.5099, 0), found(0.5101, 0), found(0.5049, 0, 0.01), found(0.5051, 0, 0.01)]).toEqual([0, 1, 0, 1]);
    expect([found(0.5 + 1e-10, 0, 0), found(0.5 + 1e-8, 0, 0)]).toEqual([0, 1]);
    // Losses below 0, which are log densities.
    expect(worseFindings({ start: -10, end: -9, error: 0 }, "−log density", 0)[0].text).toContain("is -9, but was -10");
  });
});

describe("fit", () => {
  // More rows than the comparison samples, and fewer rows, which are all compared.
  it.each([6000, 600])(
    "reports descent that ends above its start as a finding, but not descent that learns, on %d rows",
    async (count) => {
      const [numbers, classes] = [rowsOf(count), rowsOf(count, noisy)];
      const logistic = linear({ loss: "logistic" });
      const wild = [
        fit(logistic, classes, { rule: sgd({ rate: 100 }), seed: 1 }),
        fit(linear({ loss: huberLoss({ delta: 1 }) }), numbers, { rule: sgd({ rate: 8 }), seed: 1 }),
        fit(network([dense(1)], { loss: huberLoss({ delta: 1 }) }), numbers, { rule: sgd({ rate: 8 }), batch: 1, seed: 1 }),
      ];
      for (const run of wild) expect(codes(await run)).toEqual(["worse"]);
      const { findings } = (await wild[0]).run;
      expect(findings[0].text).toMatch(
        /^the result is worse than the start: the training loss, penalties included, is [\d.]+, but was 0\.6931/,
      );
      expect(/standard error/.test(findings[0].text)).toBe(count > 4096);
      const tame = [
        fit(linear(), numbers),
        fit(linear(), numbers, { rule: sgd({ rate: 0.01 }), seed: 1 }),
        fit(logistic, classes, { rule: adagrad({ rate: 0.1 }), seed: 1 }),
        fit(logistic, classes, { rule: sgd({ rate: 0.1 }), replicas: 2, seed: 1 }),
        fit(logistic, classes, { rule: sgd({ rate: 0.05 }), precision: { model: "i16" }, seed: 1 }),
        fit(network([dense(4), relu(), dense(1)]), numbers, { seed: 1 }),
      ];
      for (const run of tame) expect(codes(await run)).toEqual([]);
    },
  );

  it("counts the penalty, so that a fit can give up loss of its initial model", async () => {
    const rows = rowsOf(600);
    const sharp = await fit(linear(), rows);
    const rule = sgd({ rate: 0.02 });
    expect(codes(await fit(linear({ l2: 5 }), rows, { from: sharp, rule, seed: 1 }))).toEqual([]);
    // At the optimum, a small constant rate ends close to it, and a larger one well above.
    expect(codes(await fit(linear(), rows, { from: sharp, rule: sgd({ rate: 0.01 }), seed: 1 }))).toEqual([]);
    expect(codes(await fit(linear(), rows, { from: sharp, rule: sgd({ rate: 0.25 }), seed: 1 }))).toEqual(["worse"]);
  });

  it("compares a resumed run with its own start, unless that was an earlier model", async () => {
    const rows = rowsOf(600, noisy);
    const wild = { rule: sgd({ rate: 100 }), seed: 1, epochs: 3 };
    const logistic = linear({ loss: "logistic" });
    const run = fit(logistic, rows, wild);
    const first = await run;
    expect((await fit.resume(await run.checkpoint(), rows, { epochs: 4 })).run.findings).toMatchObject([
      { code: "worse", text: expect.stringContaining("but was 0.6931") },
    ]);
    const from = fit(logistic, rows, { ...wild, from: first });
    await from;
    expect(codes(await fit.resume(await from.checkpoint(), rows, { epochs: 4 }))).toEqual([]);
  });

  it("reports nothing for factorisations, because no step raises their objective", async () => {
    const entries = Array.from({ length: 60 }, (_, i) => i);
    const ratings = Ratings.fromTriples({
      users: entries.map((i) => i % 6),
      items: entries.map((i) => Math.floor(i / 6)),
      values: entries.map(Math.sin),
    });
    expect(codes(await fit(factorisation({ rank: 2 }), ratings, { seed: 1 }))).toEqual([]);
  });

  it("reports separable classes without a penalty, with every solver and descent", async () => {
    const x = Array.from({ length: 1200 }, (_, i) => [
      i % 2 === 0 ? 1 + Math.abs(Math.sin(i)) : -1 - Math.abs(Math.sin(i)),
      Math.cos(i),
    ]);
    const labels = x.map(([a]) => (a > 0 ? "yes" : "no"));
    const rows = Dataset.fromArrays({ x, y: labels });
    const logistic = linear({ loss: "logistic", l2: 0 });
    for (const options of [{ algorithm: newtonCholesky() }, { rule: adagrad({ rate: 1 }), epochs: 20, seed: 1 }])
      expect((await fit(logistic, rows, options)).run.findings).toMatchObject([
        { code: "separable", serious: true, advice: expect.stringContaining("l2") },
      ]);
    const three = Dataset.fromArrays({ x: [[0], [1], [2], [10], [11], [20], [21]], y: ["a", "a", "a", "b", "b", "c", "c"] });
    expect(codes(await fit(linear({ loss: "multinomial", l2: 0 }), three, { rule: lbfgs(), batch: "all" }))).toEqual([
      "separable",
    ]);
    expect(codes(await fit(linear({ loss: "logistic", l2: 1e-4 }), rows, { algorithm: newtonCholesky() }))).toEqual([]);
    expect(codes(await fit(linear({ loss: "hinge" }), rows, { rule: adagrad({ rate: 1 }), epochs: 100, seed: 1 }))).toEqual([]);
    // One row is on the wrong side, after the first thousand.
    labels[1100] = "no";
    const almost = Dataset.fromArrays({ x, y: labels });
    expect(codes(await fit(logistic, almost, { algorithm: newtonCholesky() }))).toEqual([]);
  });
});

describe("fit.stream", () => {
  function* blocks(rows: Dataset): Generator<Dataset> {
    for (let from = 0; from < rows.rowCount; from += 500) yield rows.select(Array.from({ length: 500 }, (_, i) => from + i));
  }

  it("reports a model that predicts the last rows worse than its initial state would", async () => {
    const [numbers, classes] = [rowsOf(3000), rowsOf(3000, noisy)];
    const wild = await fit.stream(linear({ loss: "logistic" }), blocks(classes), { rule: sgd({ rate: 100 }) });
    expect(wild.run.findings).toMatchObject([
      { code: "worse", text: expect.stringMatching(/on the last 2\d\d rows .* but was 0\.6931/) },
    ]);
    expect(codes(await fit.stream(linear({ loss: "logistic" }), blocks(classes)))).toEqual([]);
    expect(codes(await fit.stream(linear(), blocks(numbers), { rule: sgd({ rate: 0.05 }) }))).toEqual([]);
    const net = network([dense(4), relu(), dense(1)]);
    expect(codes(await fit.stream(net, blocks(numbers), { rule: adam({ rate: 0.01 }) }))).toEqual([]);
    expect(codes(await fit.stream(net, blocks(numbers), { rule: adam({ rate: 20 }) }))).toEqual(["worse"]);
    // Few rows cause no finding.
    const few = [rowsOf(10, noisy)];
    expect(codes(await fit.stream(linear({ loss: "logistic" }), few, { rule: sgd({ rate: 100 }) }))).toEqual([]);
  });
});

describe("findings of minimize and mode searches", () => {
  const bowl = (noise: boolean) =>
    compileFunction(
      { a: [2] },
      ({ a }) => {
        const off = sub(a, 1);
        return sum(add(mul(off, off), noise ? mul(0.1, drawn([2], 1)) : 0));
      },
      { gradient: ["a"] },
    );

  it("compares a compiled function exactly, or by the same draws at both ends", async () => {
    const [f, g] = [await bowl(false), await bowl(true)];
    const { run, value } = await minimize(f, [3, 3], { rule: sgd({ rate: 1.01 }), epochs: 20 });
    expect(run.findings).toMatchObject([{ code: "worse", text: expect.stringMatching(/the value is [\d.]+, but was 8$/) }]);
    expect(value).toBeGreaterThan(8);
    expect(codes(await minimize(f, [3, 3], { rule: sgd({ rate: 0.4 }), epochs: 20 }))).toEqual([]);
    expect(codes(await minimize(f, [3, 3]))).toEqual([]);
    const drawnRun = await minimize(g, [3, 3], { rule: sgd({ rate: 1.01 }), epochs: 20 });
    expect(drawnRun.run.findings).toMatchObject([{ code: "worse", text: expect.stringMatching(/the mean value is/) }]);
    // Already at the minimum, so the steps only add noise.
    expect(codes(await minimize(g, [1, 1], { rule: sgd({ rate: 0.01 }), epochs: 20 }))).toEqual([]);
  });

  it("reports coordinates with an understated curvature", async () => {
    const target = (curvature: number) =>
      coordinateTarget({
        dimension: 2,
        value: (x) => (x[0] - 1) ** 2 + (x[1] + 2) ** 2,
        partial: (x, j) => 2 * (x[j] - (j === 0 ? 1 : -2)),
        curvature: () => curvature,
        quadratic: true,
      });
    const algorithm = coordinateDescent({ step: "lipschitz", tolerance: 1e-9 });
    const run = async (curvature: number) => codes(await minimize(target(curvature), [0, 0], { algorithm, epochs: 3 }));
    expect(await run(2)).toEqual([]);
    expect(await run(0.8)).toEqual(["worse"]);
  });

  it("reports a mode search that the rule drives away", async () => {
    const mean = model(({ data, param, observe }) => {
      const { y } = data({ y: vector("N") });
      observe(y, normal(param("mu", normal(0, 10)), 1));
    });
    const given = { y: [1, 2, 3, 2, 1, 0, 2, 1] };
    const away = await fit(mean, given, { rule: sgd({ rate: 0.3 }), start: { mu: 1 }, until: { epochs: 10 } });
    expect(away.run.findings).toMatchObject([{ code: "worse", text: expect.stringMatching(/−log density is .*, but was/) }]);
    expect(codes(await fit(mean, given, { rule: sgd({ rate: 0.01 }), start: { mu: 1 }, until: { epochs: 10 } }))).toEqual([]);
    expect(codes(await fit(mean, given))).toEqual([]);
  });
});
