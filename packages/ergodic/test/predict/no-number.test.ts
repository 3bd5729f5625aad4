/** Rows without a finite prediction are refused by position. No class is returned with invalid probabilities. */
import { beforeAll, describe, expect, it } from "vitest";
import { Dataset, dense, fit, linear, network, relu } from "../../src/entries/everything.ts";
import { calibrated } from "../../src/predict/calibration/index.ts";
import type { NetworkPredictor } from "../../src/predict/network.ts";

const x = Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const far = [3e38, 1];
const layers = () => [dense(8), relu(), dense(8), relu(), dense(3)];
const wrong = (row: number) =>
  new RegExp(`^predict: row ${row + 1}: the model's answer is (NaN|Infinity); its values are too large .* \\[PREDICT_NUMBER\\]$`);

let classes: NetworkPredictor;
let numbers: NetworkPredictor;
beforeAll(async () => {
  const named = Dataset.fromArrays({ x, y: x.map((_, i) => "abc"[i % 3]) });
  classes = (await fit(network(layers(), { loss: "multinomial", standardise: false }), named, { epochs: 1, seed: 1 })) as never;
  const target = Dataset.fromArrays({ x, y: x.map(([a]) => a) });
  const model = network([dense(8), relu(), dense(8), relu(), dense(1)], { loss: "squared", standardise: false });
  numbers = (await fit(model, target, { epochs: 1, seed: 1 })) as never;
});

describe("values beyond float32", () => {
  it("are refused for classes in one row, several rows, later chunks of a matrix, and a dataset", () => {
    expect(() => classes.predict(far)).toThrow(wrong(0));
    expect(() => classes.predict([x[0], x[1], far])).toThrow(wrong(2));
    const many = Float64Array.from({ length: 2 * 600 }, (_, k) => (k === 2 * 517 ? far[0] : 0.5));
    expect(() => classes.predictInto(many, new Float64Array(3 * 600))).toThrow(wrong(517));
    const y = ["a", "b", "c"];
    expect(() => classes.evaluate(Dataset.fromArrays({ x: [x[0], far, x[2]], y, type: "f64" }))).toThrow(wrong(1));
  });

  it("are refused for classes with calibrated probabilities", async () => {
    const y = x.map((_, i) => "abc"[i % 3]);
    const named = Dataset.fromArrays({ x, y });
    const held = await calibrated(classes, named, { method: "temperature" });
    expect(() => held.predict([x[0], far])).toThrow(wrong(1));
    expect(held.predict(x[0]).probabilities).toBeDefined();
  });

  it("are refused for numeric targets", () => {
    // The signs of the weights decide which of the two rows overflows.
    const given = [3e38, -3e38].map((u) => [u, u]);
    const told = given.map((row) => {
      try {
        return numbers.predict(row).value;
      } catch (error) {
        expect((error as Error).message).toMatch(wrong(0));
        return "refused";
      }
    });
    expect(told.every((one) => one === "refused" || !Number.isNaN(one))).toBe(true);
  });

  it("leave predictions of other rows unchanged", () => {
    const before = classes.predict(x);
    expect(() => classes.predict([...x, far])).toThrow();
    expect(classes.predict(x)).toEqual(before);
    expect(before.every(({ probabilities }) => Math.abs(probabilities!.a + probabilities!.b + probabilities!.c - 1) < 1e-6)).toBe(
      true,
    );
  });

  it("are certain if an output is infinite", async () => {
    const rows = [[3e38], [-3e38], [1], [-1]];
    const two = Dataset.fromArrays({ x: rows, y: ["yes", "no", "yes", "no"] });
    const model = await fit(linear({ loss: "logistic" }), two, { epochs: 1 });
    model.weights.fill(Number.MAX_VALUE);
    expect(model.predict([[3e38], [-3e38]]).map(({ probabilities }) => probabilities!.yes)).toEqual([1, 0]);
    const three = Dataset.fromArrays({ x: rows, y: ["a", "b", "c", "a"] });
    const several = await fit(linear({ loss: "multinomial" }), three, { epochs: 1 });
    several.weights.fill(0);
    several.weights[0] = Number.MAX_VALUE;
    // With several classes, infinite outputs leave the probabilities undefined: one class could be certain, or all
    // could be equal.
    expect(() => several.predict([[1], [3e38]])).toThrow(wrong(1));
  });
});
