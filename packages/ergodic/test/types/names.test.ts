/**
 * The compiler's knowledge of names: losses, kinds of predictors, rows. `npm run check:types` checks the refusals and
 * fails if a line marked `@ts-expect-error` compiles. Running the tests checks the values.
 */
import { describe, expect, expectTypeOf, it } from "vitest";
import { square, sub } from "../../src/engine/compiler/index.ts";
import {
  type AnyPredictor,
  Dataset,
  dense,
  type FactorPredictor,
  fit,
  huberLoss,
  type LinearModel,
  type LinearPredictor,
  linear,
  loss,
  type NetworkPredictor,
  network,
  type Prediction,
  predictor,
  type TreesPredictor,
} from "../../src/entries/everything.ts";

const own = loss("mineForTypes", {}, ({ z, y }) => square(sub(z, y)), { task: "regression", link: "identity", quadratic: true });
const data = Dataset.fromArrays({
  x: [
    [1, 2],
    [3, 4],
    [5, 7],
  ],
  y: [3, 7, 12],
});

describe("losses", () => {
  it("are known by name and determine the type of predictions", () => {
    expectTypeOf(linear({ loss: "logistic" })).toEqualTypeOf<LinearModel<"class">>();
    expectTypeOf(linear({ loss: huberLoss() })).toEqualTypeOf<LinearModel<"number">>();
    expectTypeOf(linear({ loss: own() })).toEqualTypeOf<LinearModel<"number">>();
    expectTypeOf(linear({ l2: 1 })).toEqualTypeOf<LinearModel>();
  });

  it("do not compile if they or their options are undefined", () => {
    // @ts-expect-error a slip in the name of a loss
    expect(() => linear({ loss: "logistc" })).toThrow("OPTION_UNKNOWN");
    // @ts-expect-error a slip in the name of a loss
    expect(() => network([dense(1)], { loss: "squred" })).toThrow("OPTION_UNKNOWN");
    // @ts-expect-error a slip in the name of an option
    expect(() => linear({ l3: 1 })).toThrow("OPTION_UNKNOWN");
    // @ts-expect-error a slip in the name of an option
    expect(() => network([dense(1)], { standardize: true })).toThrow("OPTION_UNKNOWN");
    // @ts-expect-error a user-defined loss is passed as an object from its factory, not by name
    expect(linear({ loss: "mineForTypes" }).name).toBe("linear");
  });
});

describe("predictors", () => {
  it("read from a file are distinguished by their kind", async () => {
    const bytes = (await fit(linear({ loss: "squared" }), data, { epochs: 1, seed: 1 })).toBytes();
    const found = await predictor(bytes);
    expectTypeOf(found).toEqualTypeOf<AnyPredictor>();
    expectTypeOf<AnyPredictor>().toEqualTypeOf<LinearPredictor | NetworkPredictor | TreesPredictor | FactorPredictor>();
    // @ts-expect-error only linear predictors have weights
    expect(found.weights).toHaveLength(2);
    if (found.kind !== "linear") throw new Error(`the file is of a ${found.kind}`);
    expectTypeOf(found).toEqualTypeOf<LinearPredictor>();
    expect(found.weights).toHaveLength(2);
    expectTypeOf(await predictor<LinearPredictor>(bytes)).toEqualTypeOf<LinearPredictor>();
  });

  it("return one prediction for a row of numbers, plain or typed", async () => {
    const model = await fit(linear({ loss: "squared" }), data, { epochs: 1, seed: 1 });
    const [one] = model.predict([[1, 2]]);
    expectTypeOf(model.predict([1, 2])).toEqualTypeOf<Prediction<"number">>();
    expectTypeOf(model.predict(Float64Array.of(1, 2))).toEqualTypeOf<Prediction<"number">>();
    expectTypeOf(model.predict([[1, 2]])).toEqualTypeOf<Prediction<"number">[]>();
    expect(model.predict([1, 2])).toEqual(one);
    expect(model.predict(Float64Array.of(1, 2))).toEqual(one);
    expect(model.predict(Float32Array.of(1, 2))).toEqual(one);
    expect(model.predict({ x0: 1, x1: 2 })).toEqual(one);
    expect(model.predict([Float64Array.of(1, 2)])).toEqual([one]);
    expect(() => model.predict([1])).toThrow("row 1");
    // @ts-expect-error a column of a row is a number, a text or a flag
    expect(() => model.predict({ x0: {} })).toThrow();
  });
});
