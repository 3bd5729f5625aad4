/** Numeric targets that models take as classes; only this file states for which numbers, losses and verbs. */
import { describe, expect, it } from "vitest";
import { crossValidate, Dataset, dense, fit, linear, network } from "../../../src/entries/everything.ts";

const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const signs = x.map(([a, b], i) => Number(a + b + Math.sin(7 * i) > 0));
const dataOf = (y: number[], classes = false): Dataset => Dataset.fromArrays({ x, y, classes });
const pairs: [string, number, number][] = [
  ["0 and 1", 0, 1],
  ["−1 and 1", -1, 1],
  ["1 and 2", 1, 2],
];

describe("without a loss", () => {
  it.each(pairs)("%s are classes, as if the dataset said so, and the run notes it", async (_, low, high) => {
    const y = signs.map((s) => (s ? high : low));
    const [taken, said] = [await fit(linear(), dataOf(y)), await fit(linear(), dataOf(y, true))];
    expect(taken.task).toBe("binary");
    expect(taken.classes).toEqual([String(low), String(high)]);
    expect(taken.weights).toEqual(said.weights);
    expect(taken.intercept).toEqual(said.intercept);
    expect(taken.run.findings).toEqual([
      {
        code: "classes",
        serious: false,
        note: true,
        text: `the target "y" holds only ${low} and ${high}, so it was read as two classes`,
        advice: 'to predict it as a number, give the model loss: "squared"',
      },
    ]);
    expect(said.run.findings).toEqual([]);
  });

  it.each([
    ["three whole numbers", signs.map((s, i) => (i === 0 ? 2 : s))],
    ["two decimals", signs.map((s) => s + 0.5)],
    ["one number", signs.map(() => 1)],
  ])("%s stay numbers", async (_, y) => {
    const model = await fit(linear({ l2: 0.1 }), dataOf(y));
    expect(model.task).toBe("regression");
    expect(model.run.findings).toEqual([]);
  });

  it("a network takes the same target", async () => {
    const model = await fit(network([dense(1)]), dataOf(signs), { epochs: 1 });
    expect(model.classes).toEqual(["0", "1"]);
    expect(model.run.findings.map(({ code }) => code)).toContain("classes");
  });

  it("held-out numbers are measured as classes", async () => {
    const data = dataOf(signs);
    const model = await fit(linear(), data, { validate: data, epochs: 2 });
    expect(model.evaluate(data).accuracy).toBeGreaterThan(0.5);
  });

  it("every fold of a cross-validation has the classes of all rows", async () => {
    const rare = signs.map((_, i) => Number(i < 5));
    const [taken, said] = await Promise.all(
      [dataOf(rare), dataOf(rare, true)].map((data) => crossValidate(linear({ l2: 0.1 }), data)),
    );
    expect(taken.metrics).toEqual(said.metrics);
    expect(taken.metrics.accuracy.folds).toBe(5);
  });

  it("a path takes the same target", async () => {
    const [taken, said] = [await fit.path(linear(), dataOf(signs)), await fit.path(linear(), dataOf(signs, true))];
    expect(taken.predictor().weights).toEqual(said.predictor().weights);
  });

  it("a checkpoint resumes on the same numbers", async () => {
    const data = dataOf(signs);
    const options = { epochs: 6, seed: 3 };
    const whole = await fit(linear(), data, options);
    const begun = fit(linear(), data, options);
    for await (const tick of begun) if (tick.epoch >= 2) break;
    const resumed = await fit.resume(await begun.checkpoint(), data);
    expect(resumed.weights).toEqual(whole.weights);
  });
});

describe("with a loss", () => {
  it('"squared" keeps 0 and 1 as numbers', async () => {
    const model = await fit(linear({ loss: "squared" }), dataOf(signs));
    expect(model.task).toBe("regression");
    expect(model.run.findings).toEqual([]);
  });

  it("for classes, whole numbers are classes, without a note", async () => {
    const y = signs.map((s, i) => (i % 3 === 0 ? 7 : s));
    for (const loss of ["multinomial", "hinge"] as const) {
      const model = await fit(linear({ loss }), dataOf(y), { epochs: 1 });
      expect(model.classes).toEqual(["0", "1", "7"]);
      expect(model.run.findings.map(({ code }) => code)).not.toContain("classes");
    }
  });

  it.each(["logistic", "hinge", "multinomial"] as const)("%s refuses decimals and names the target", async (loss) => {
    const decimals = dataOf(signs.map((s) => s + 0.25));
    const message = `linear: loss "${loss}" needs classes, but target "y" holds decimals such as ${signs[0] + 0.25}; name a column of classes, or use loss: "squared" [MODEL_TARGET]`;
    await expect(fit(linear({ loss }), decimals)).rejects.toThrow(message);
    await expect(fit.path(linear({ loss }), decimals)).rejects.toThrow(message);
  });
});
