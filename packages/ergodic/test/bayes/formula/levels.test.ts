/** Predictions of responses with levels. Compares each level's probability by name with direct sums over the draws. */
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { quantile } from "../../../src/engine/statistics/index.ts";
import { prior, regression, sample } from "../../../src/entries/everything.ts";

const own = stream(5, "levels").at(0);
const N = 30;
const x = Array.from({ length: N }, () => own.normal());
const names = ["tiny", "small", "tall", "huge"];
const size = x.map((at) => names[Math.max(0, Math.min(3, Math.round(1.5 + at + own.normal() / 2)))]);
const run = { algorithm: prior(), chains: 2, draws: 60, seed: 3, deterministic: true } as const;
const logistic = (z: number): number => 1 / (1 + Math.exp(-z));
const average = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("an ordinal response", async () => {
  const posterior = await sample(regression("size ~ x", { family: "ordinal", levels: { size: names } }), { x, size }, run);
  const predictor = await posterior.predictor({ level: 0.8 });
  const [b, thresholds] = [posterior.draws("x"), posterior.draws("threshold")];

  /** P(size = k) for each draw. */
  const probabilities = (place: number, k: number): Float64Array =>
    b.map((slope, s) => {
      const above = (j: number): number => (j < 0 ? 1 : j > 2 ? 0 : logistic(slope * place - thresholds[3 * s + j]));
      return above(k - 1) - above(k);
    });

  it.each([0, 1.5, -2])("predicts each level's probability by name with an interval: x = %d", (place) => {
    const { levels, mean, expected, sd } = predictor.predict({ x: place }).size;
    expect(Object.keys(levels!)).toEqual(names);
    for (const [k, name] of names.entries()) {
      const each = probabilities(place, k);
      expect(levels![name].probability).toBeCloseTo(average(each), 12);
      expect(levels![name].lower).toBeCloseTo(quantile(each, 0.1), 12);
      expect(levels![name].upper).toBeCloseTo(quantile(each, 0.9), 12);
    }
    // The other numbers refer to the positions of the levels.
    const places = b.map((_, s) => names.reduce((sum, _name, k) => sum + k * probabilities(place, k)[s], 0));
    const squares = b.map((_, s) => names.reduce((sum, _name, k) => sum + k * k * probabilities(place, k)[s], 0));
    expect(mean).toBeCloseTo(average(places), 11);
    expect(sd).toBeCloseTo(Math.sqrt(average(squares) - average(places) ** 2), 10);
    expect(expected.lower).toBeCloseTo(quantile(places, 0.1), 11);
  });

  it("lists its level names in order", async () => {
    expect(predictor.levels).toEqual({ size: names });
    const grades = x.map((at) => 3 + 2 * Math.max(0, Math.min(2, Math.round(1 + at))));
    const graded = await sample(regression("grade ~ x", { family: "ordinal" }), { x, grade: grades }, run);
    const ofNumbers = await graded.predictor();
    expect(ofNumbers.levels).toEqual({ grade: ["3", "5", "7"] });
    const { levels } = ofNumbers.predict({ x: 0.3 }).grade;
    expect(Object.values(levels!).reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 13);
  });

  it("predicts one row and many alike, and predictInto writes four numbers", async () => {
    const rows = [{ x: 0 }, { x: 1 }, { x: -1 }];
    const all = await posterior.predict(rows, { level: 0.8 });
    for (const [i, row] of rows.entries()) expect(predictor.predict(row)).toEqual(all[i]);
    const out = new Float64Array(3 * predictor.width);
    expect([predictor.width, predictor.predictInto(rows, out)]).toEqual([4, 3]);
    const { mean, sd, lower, upper } = all[2].size;
    expect([...out.subarray(8)]).toEqual([mean, sd, lower, upper]);
  });
});

describe("levels of many columns", () => {
  it("can be given for columns that the formula does not use", async () => {
    const data = { y: x, f: size, other: size };
    const drawn = (levels: Record<string, string[]>) => sample(regression("y ~ f", { levels }), data, run);
    const [one, both] = [drawn({ f: names }), drawn({ f: names, other: ["huge", "tall", "small", "tiny"] })];
    expect([...(await both).draws("fhuge")]).toEqual([...(await one).draws("fhuge")]);
  });

  const many = Array.from({ length: 100_000 }, (_, i) => `l${i}`);
  const wide = { y: many.map((_, i) => Math.sin(i)), f: many, half: many.map((_, i) => `h${i % 50_000}`) };

  it.each([
    [
      "y ~ f",
      'regression: the term "f" has 99999 columns in 100000 rows, which does not fit into memory, because "f" has 99999 levels with a coefficient each; write it as a group, (1 | f), or join rare levels [DATA_LEVEL]',
    ],
    ["y ~ half:f", /the term "half:f" has 5000000000 columns in 100000 rows, .* because "f" has 100000 levels .* \(1 \| f\)/],
    ["y ~ (1 + f | half)", /the term "f" has 99999 columns/],
  ])("are refused if their coefficients do not fit into memory: %s", async (formula, said) => {
    await expect(regression(formula).condition(wide)).rejects.toThrow(said);
  });

  it("can be many if they are groups", async () => {
    const posterior = await sample(regression("y ~ 1 + (1 | half)"), wide, { ...run, chains: 1, draws: 2 });
    expect(posterior.quantities.length).toBe(50_003);
  });
});

describe("a response with two levels", () => {
  it("predicts both by name if they are strings", async () => {
    const answer = x.map((at) => (at > 0 ? "yes" : "no"));
    const posterior = await sample(regression("answer ~ x", { family: "bernoulli" }), { x, answer }, run);
    const [{ answer: found }] = await posterior.predict([{ x: 0.7 }]);
    expect(Object.keys(found.levels!)).toEqual(["no", "yes"]);
    const yes = posterior.draws("Intercept").map((a, s) => logistic(a + 0.7 * posterior.draws("x")[s]));
    expect(found.levels!.yes.probability).toBeCloseTo(average(yes), 13);
    expect(found.levels!.no.probability).toBeCloseTo(1 - average(yes), 13);
    expect(found.levels!.no.lower).toBeCloseTo(
      quantile(
        yes.map((p) => 1 - p),
        0.05,
      ),
      12,
    );
    expect(found.mean).toBeCloseTo(found.levels!.yes.probability, 13);
  });

  it("has no levels if it is 0 and 1, or numeric", async () => {
    const both = { x, answer: x.map((at) => Number(at > 0)), y: x };
    for (const [formula, family] of [
      ["answer ~ x", "bernoulli"],
      ["y ~ 1", "gaussian"],
    ] as const) {
      const predictor = await (await sample(regression(formula, { family }), both, run)).predictor();
      expect(predictor.levels).toEqual({});
      const [prediction] = Object.values(predictor.predict({ x: 1 }));
      expect(Object.keys(prediction)).toEqual(["mean", "sd", "lower", "upper", "expected"]);
    }
  });
});
