/** Calibrated probabilities of every kind of model, also through its file, and refused input. */
import fc from "fast-check";
import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  Dataset,
  dense,
  factorisation,
  fit,
  type LinearPredictor,
  linear,
  type NetworkPredictor,
  network,
  predictor,
  Ratings,
  relu,
} from "../../../src/entries/everything.ts";
import { calibrated, conformal } from "../../../src/predict/calibration/index.ts";
import { isotonicCurve } from "../../../src/predict/calibration/isotonic.ts";
import { bend, logitsInto, logOddsInto, valueAt } from "../../../src/predict/calibration/probabilities.ts";
import { LinearPredictor as Plain } from "../../../src/predict/linear.ts";
import { className, classRows, normalOf, outputModel, range, rowsOf, softmax, uniforms } from "./models.ts";

type Model = LinearPredictor | NetworkPredictor;

/** Noisy classes that depend on two columns. */
function noisy(seed: number, n: number, classes: number): Dataset {
  const u = uniforms(seed);
  const x = range(n).map(() => [normalOf(u), normalOf(u)]);
  const y = x.map(([a, b]) => {
    const k = Math.floor(((Math.atan2(b, a) / Math.PI + 1) / 2) * classes) % classes;
    return className(u() < 0.3 ? Math.floor(u() * classes) : k);
  });
  return Dataset.fromArrays({ x, y });
}

const kinds: Record<string, () => PromiseLike<Model>> = {
  "linear, two classes": () => fit(linear(), noisy(1, 60, 2), { epochs: 3 }),
  "linear, softmax": () => fit(linear({ loss: "multinomial" }), noisy(1, 60, 3), { epochs: 3 }),
  "linear, one against the rest": () => fit(linear({ loss: "logistic" }), noisy(1, 60, 3), { epochs: 3 }),
  "network, two classes": () =>
    fit(network([dense(6), relu(), dense(1)], { loss: "logistic" }), noisy(1, 200, 2), { epochs: 60 }),
  "network, softmax": () => fit(network([dense(6), relu(), dense(3)]), noisy(1, 200, 3), { epochs: 60 }),
};

const numbersOf = (model: Model, rows: number[][]): number[] => {
  const out = new Float64Array(rows.length * model.width);
  model.predictInto(rows, out);
  return [...out];
};

describe.each(Object.keys(kinds))("%s", (kind) => {
  let model: Model;
  let heldOut: Dataset;
  const rows = range(20).map((i) => [Math.sin(i), Math.cos(2 * i)]);
  beforeAll(async () => {
    model = await kinds[kind]();
    heldOut = noisy(2, 300, model.classes!.length);
  });

  it.each(["temperature", "isotonic"] as const)("saves and restores calibration by %s to the last bit", async (method) => {
    const found = await calibrated(model, heldOut, { method });
    expect(found.kind).toBe(model.kind);
    expect(found).toBeInstanceOf(model.kind === "linear" ? Plain : Object);
    expect(found.width).toBe(model.width);
    expect(found.classes).toEqual(model.classes);
    const read = await predictor<Model>(found.toBytes());
    expect(read.description).toEqual(found.description);
    expect(read.toBytes()).toEqual(found.toBytes());
    expect(read.predict(rows)).toEqual(found.predict(rows));
    expect(numbersOf(read, rows)).toEqual(numbersOf(found, rows));
    expect(numbersOf(found, rows)).not.toEqual(numbersOf(model, rows));
    // The given model stays unchanged.
    expect(model.description.calibration).toBeUndefined();
  });

  it.each(["temperature", "isotonic"] as const)(
    "predicts the same calibrated values by %s through every method",
    async (method) => {
      const found = await calibrated(model, heldOut, { method });
      const all = found.predict(rows);
      const p = all.flatMap(({ probabilities }) => model.classes!.map((name) => probabilities![name]));
      for (const [i, row] of rows.entries()) {
        const one = found.predict(row);
        expect(one.value).toBe(all[i].value);
        const own = model.classes!.map((name) => one.probabilities![name]);
        // A network sums rows of a batch in another order.
        for (const [k, value] of own.entries()) expect(value).toBeCloseTo(p[i * own.length + k], 5);
        expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      }
      expect(numbersOf(found, rows)).toEqual(p);
      const test = noisy(3, 100, model.classes!.length);
      const logLoss = found.predict(test).reduce((sum, { probabilities }, i) => {
        const own = probabilities![test.target.levels![test.target.values[i]]];
        return sum - Math.log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, own))) / test.rowCount;
      }, 0);
      expect(found.evaluate(test).logLoss).toBeCloseTo(logLoss, 10);
    },
  );

  it("calibration by temperature minimises the log loss", async () => {
    const found = await calibrated(model, heldOut);
    const { probabilities } = found.description.calibration as { probabilities: { temperature: number } };
    const best = found.evaluate(heldOut).logLoss!;
    const z = model.outputs(heldOut);
    const outputs = z.length / heldOut.rowCount;
    const lossAt = (t: number): number => {
      const p = range(heldOut.rowCount).map((i) => {
        const own = [...z.subarray(i * outputs, (i + 1) * outputs)];
        const l = outputs === 1 ? [0, own[0]] : own.map((x) => (kind.includes("rest") ? -Math.log1p(Math.exp(-x)) : x));
        return softmax(l.map((x) => x / t))[heldOut.target.values[i]];
      });
      return p.reduce((sum, x) => sum - Math.log(x), 0) / p.length;
    };
    expect(best).toBeCloseTo(lossAt(probabilities.temperature), 10);
    for (const factor of [0.9, 0.999, 1.001, 1.1]) expect(best).toBeLessThan(lossAt(factor * probabilities.temperature));
  });

  it("calibration by temperature predicts the same classes", async () => {
    const found = await calibrated(model, heldOut);
    const test = noisy(4, 500, model.classes!.length);
    expect(found.predict(test).map(({ value }) => value)).toEqual(model.predict(test).map(({ value }) => value));
    expect(found.evaluate(test).accuracy).toBe(model.evaluate(test).accuracy);
  });
});

describe("temperature calibration", () => {
  /** Outputs of every size, with ties and near ties. */
  const output = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
    fc.double({ noNaN: true, min: -50, max: 50 }),
    fc.constantFrom(0, 1, 1 + 2 ** -23, 1 - 2 ** -24, 1e-20, -1e-20, 40, 41),
  );

  it.each([2, 3, 5])("does not change the predicted class of %i, whatever the outputs", async (classes) => {
    const plain = await outputModel(classes);
    const u = uniforms(5);
    const columns = classes === 2 ? 1 : classes;
    for (const sure of [0.2, 6]) {
      const { z, y } = classRows(u, 200, classes, sure);
      const found = await calibrated(plain, rowsOf(z, y, classes));
      fc.assert(
        fc.property(fc.array(output, { minLength: columns, maxLength: columns }), (row) => {
          const [before, after] = [plain.predict(row), found.predict(row)];
          expect(after.value).toBe(before.value);
          const p = Object.values(after.probabilities!);
          expect(p.every((x) => x >= 0 && x <= 1)).toBe(true);
          expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        }),
        { numRuns: 300, seed: 1 },
      );
    }
  });

  it("stays certain for an infinite output of two classes", async () => {
    const found = await calibrated(await outputModel(2, undefined, 1e300), rowsOf(...threeRight(), 2));
    expect(temperatureIn(found)).toBeGreaterThan(1e299);
    for (const method of ["temperature", "isotonic"] as const) {
      const bent = await calibrated(found, rowsOf(...threeRight(), 2), { method });
      const [high, low] = bent.predict([[1e38], [-1e38]]);
      expect(high.probabilities).toEqual(method === "temperature" ? { c0: 0, c1: 1 } : bent.predict([2]).probabilities);
      expect(low.probabilities).toEqual(method === "temperature" ? { c0: 1, c1: 0 } : bent.predict([-1]).probabilities);
    }
  });

  it.each([
    ["right in all rows", [[1], [2], [-1]], [1, 1, 0], /right in all rows/],
    ["no better than chance", [[1], [2], [-1]], [0, 0, 1], /no better than chance/],
    ["as bad as chance", [[1], [1]], [0, 1], /no better than chance/],
    ["flat", [[0], [0], [0]], [0, 1, 1], /all classes the same probability/],
    ["one row, right", [[0.5]], [1], /right in all rows/],
    ["one row, wrong", [[0.5]], [0], /no better than chance/],
  ])("is refused for a model that is %s", async (_, z, y, words) => {
    const data = classesOf(z, y, 2);
    await expect(calibrated(await outputModel(2), data)).rejects.toThrow(words);
    await expect(calibrated(await outputModel(2), data)).rejects.toMatchObject({ code: "DATA_TARGET", name: "DataError" });
  });

  it("ignores rows of weight 0 when it checks a model", async () => {
    const model = await outputModel(2);
    const right = rowsOf([[1], [2], [-1], [-2]], [1, 1, 0, 1], 2, [1, 1, 1, 0]);
    await expect(calibrated(model, right)).rejects.toThrow(/right in all rows/);
    const flat = rowsOf([[0], [0], [1]], [0, 1, 1], 2, [1, 1, 0]);
    await expect(calibrated(model, flat)).rejects.toThrow(/all classes the same probability/);
  });

  it("finds the temperature for huge and tiny outputs", async () => {
    const u = uniforms(8);
    const { z, y } = classRows(u, 100, 3, 1);
    const small = temperatureIn(
      await calibrated(
        await outputModel(3),
        rowsOf(
          z.map((row) => row.map((x) => Math.fround(x))),
          y,
          3,
        ),
      ),
    );
    for (const factor of [2 ** -60, 2 ** 60]) {
      const data = rowsOf(
        z.map((row) => row.map((x) => factor * Math.fround(x))),
        y,
        3,
      );
      expect(temperatureIn(await calibrated(await outputModel(3), data)) / factor).toBeCloseTo(small, 10);
    }
  });

  it("counts a row of weight 2 twice, and a row of weight 0 never", async () => {
    const u = uniforms(9);
    const { z, y } = classRows(u, 60, 3, 3);
    const weights = range(60).map((i) => i % 3);
    const [zz, yy] = [
      range(60).flatMap((i) => range(i % 3).map(() => z[i])),
      range(60).flatMap((i) => range(i % 3).map(() => y[i])),
    ];
    const model = await outputModel(3);
    const weighted = await calibrated(model, rowsOf(z, y, 3, weights));
    expect(temperatureIn(weighted)).toBeCloseTo(temperatureIn(await calibrated(model, rowsOf(zz, yy, 3))), 12);
    const both = { method: "isotonic" } as const;
    const curves = (m: Model): unknown =>
      (m.description.calibration as { probabilities: { curves: unknown } }).probabilities.curves;
    expect(curves(await calibrated(model, rowsOf(z, y, 3, weights), both))).toEqual(
      curves(await calibrated(model, rowsOf(zz, yy, 3), both)),
    );
  });
});

const temperatureIn = (model: Model): number =>
  (model.description.calibration as { probabilities: { temperature: number } }).probabilities.temperature;
const threeRight = (): [number[][], number[]] => [
  [[1], [2], [-1], [1]],
  [1, 1, 0, 0],
];

/** Class names for data in which some classes do not occur. */
function classesOf(z: number[][], y: number[], classes: number): Dataset {
  const template = rowsOf(
    range(classes).map(() => z[0]),
    range(classes),
    classes,
  );
  return template.pipeline.apply(
    {
      source: "rows",
      rowCount: y.length,
      columns: [
        ...z[0].map((_, j) => ({ name: `x${j}`, kind: "number" as const, values: Float64Array.from(z, (row) => row[j]) })),
        { name: "y", kind: "category" as const, levels: range(classes).map(className), codes: Int32Array.from(y) },
      ],
    },
    { target: true },
  );
}

describe("isotonic calibration", () => {
  it("gives all classes equal probability if each has 0", () => {
    const curve = { scores: [0, 1], probabilities: [0, 1] };
    const p = new Float64Array(4);
    bend(Float64Array.of(-1, -2, -3, 0), [curve, curve, curve, curve], p);
    expect([...p]).toEqual([0.25, 0.25, 0.25, 0.25]);
    bend(Float64Array.of(-1, 0.5, 0.25, 2), [curve, curve, curve, curve], p);
    expect([...p]).toEqual([0, 0.5 / 1.75, 0.25 / 1.75, 1 / 1.75]);
  });

  it("never exceeds the next point by rounding, and is NaN for a NaN score", () => {
    const curve = { scores: [-1e16, 1], probabilities: [0.286, 0.985] };
    expect(0.286 + (0.985 - 0.286)).toBeGreaterThan(0.985);
    expect(valueAt(curve, 0.999)).toBe(0.985);
    expect(valueAt(curve, Number.NaN)).toBeNaN();
    expect(valueAt({ scores: [1], probabilities: [0.5] }, Number.NaN)).toBeNaN();
  });

  it("stores no -0, which a file cannot hold", () => {
    const { scores, probabilities } = isotonicCurve([-0, 1], [0, 1], null);
    expect(scores).toEqual([0, 1]);
    expect(probabilities).toEqual([0, 1]);
  });

  it("requires rows of every class", async () => {
    const data = classesOf(
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      [0, 1],
      3,
    );
    const found = calibrated(await outputModel(3), data, { method: "isotonic" });
    await expect(found).rejects.toThrow(/no row of rows has class "c2"/);
    const weightless = rowsOf(
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      [0, 1, 2],
      3,
      [1, 1, 0],
    );
    await expect(calibrated(await outputModel(3), weightless, { method: "isotonic" })).rejects.toThrow(/has class "c2"/);
  });
});

it("names the row of a non-finite output", async () => {
  const model = await outputModel(3, undefined, 1e200);
  const z = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1e200],
  ];
  for (const method of ["temperature", "isotonic"] as const)
    await expect(calibrated(model, rowsOf(z, [0, 1, 2], 3), { method })).rejects.toThrow(
      /row 3 of .* has Infinity for an output of the model/,
    );
});

describe("log odds", () => {
  it("match the probabilities, also for probabilities of 1 to the last bit", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 2, maxLength: 6 }), (z) => {
        const [l, odds] = [new Float64Array(z.length), new Float64Array(z.length)];
        logitsInto({ link: "softmax", outputs: z.length }, Float64Array.from(z), 0, l);
        logOddsInto(l, odds);
        for (const k of range(z.length)) {
          const others = z.filter((_, j) => j !== k);
          const top = Math.max(...others);
          const wanted = z[k] - top - Math.log(others.reduce((sum, x) => sum + Math.exp(x - top), 0));
          expect(odds[k]).toBeCloseTo(wanted, 9);
        }
      }),
      { seed: 2, numRuns: 500 },
    );
    const [l, odds] = [Float64Array.of(900, 0, 1), new Float64Array(3)];
    logOddsInto(l, odds);
    expect(odds[0]).toBeCloseTo(899 - Math.log1p(Math.exp(-1)), 10);
    expect(odds[1]).toBeCloseTo(-900, 10);
    // Several outputs share the maximum.
    logOddsInto(Float64Array.of(900, 900, 0), odds);
    expect([...odds.subarray(0, 2)]).toEqual([0, 0]);
    expect(odds[2]).toBeCloseTo(-900 - Math.LN2, 10);
    logOddsInto(Float64Array.of(5, 5, 5), odds);
    for (const value of odds) expect(value).toBeCloseTo(-Math.LN2, 14);
  });
});

describe("calibrated", () => {
  it("improves an overconfident network on unseen rows", async () => {
    const sure = await fit(network([dense(64), relu(), dense(64), relu(), dense(3)]), noisy(11, 60, 3), {
      epochs: 1500,
      batch: 20,
      seed: 1,
    });
    const [heldOut, test] = [noisy(12, 1500, 3), noisy(13, 1500, 3)];
    const before = sure.evaluate(test);
    for (const method of ["temperature", "isotonic"] as const) {
      const after = (await calibrated(sure, heldOut, { method })).evaluate(test);
      console.log(
        `log loss ${before.logLoss!.toFixed(3)} → ${after.logLoss!.toFixed(3)} by ${method}, calibration error ${before.calibrationError!.toFixed(3)} → ${after.calibrationError!.toFixed(3)}`,
      );
      expect(after.logLoss!).toBeLessThan(0.7 * before.logLoss!);
      expect(after.calibrationError!).toBeLessThan(0.5 * before.calibrationError!);
    }
  });

  it("returns a predictor with the same kind, classes, columns and types", async () => {
    const data = Dataset.fromArrays({ x: [[1], [2], [3], [4]], y: ["p", "q", "q", "p"], names: ["a"] });
    const linearOf = await fit(linear({ loss: "logistic" }), data, { epochs: 1 });
    const one = async () => calibrated(linearOf, data);
    expectTypeOf(one).returns.resolves.toEqualTypeOf<LinearPredictor<"class", "a">>();
    const net = await fit(network([dense(1)], { loss: "logistic" }), data, { epochs: 1 });
    const other = async () => conformal(net, data);
    expectTypeOf(other).returns.resolves.toEqualTypeOf<NetworkPredictor<"class", "a">>();
    const either = async (model: Model) => calibrated(model, data);
    expectTypeOf(either).returns.resolves.toEqualTypeOf<Model>();
    expect(linearOf.kind).not.toBe(net.kind);
  });

  it("replaces an earlier calibration", async () => {
    const model = await kinds["linear, softmax"]();
    const heldOut = noisy(2, 300, 3);
    const once = await calibrated(model, heldOut, { method: "isotonic" });
    expect((await calibrated(await calibrated(once, heldOut), heldOut, { method: "isotonic" })).toBytes()).toEqual(
      once.toBytes(),
    );
  });

  it("is not part of a model that training starts from, or of an uncalibrated predictor", async () => {
    const data = noisy(1, 60, 3);
    const model = (await calibrated(await kinds["linear, softmax"](), noisy(2, 300, 3))) as LinearPredictor;
    const further = await fit(linear({ loss: "multinomial" }), data, { from: model.toBytes(), epochs: 1 });
    expect(further.description.calibration).toBeUndefined();
    const { weights, intercept } = model;
    const bare = new Plain({ kind: "linear", description: model.description, tensors: { weights, intercept } });
    expect(bare.description.calibration).toBeUndefined();
    expect(bare.predict([[1, 2]])).toEqual((await kinds["linear, softmax"]()).predict([[1, 2]]));
  });

  it("refuses models without probabilities and unreadable input", async () => {
    const data = noisy(2, 60, 2);
    const hinge = await fit(linear({ loss: "hinge" }), data, { epochs: 1 });
    await expect(calibrated(hinge, data)).rejects.toMatchObject({
      code: "MODEL_CAPABILITY",
      message: expect.stringMatching(/logistic/) as string,
    });
    const numbers = await fit(linear(), Dataset.fromArrays({ x: [[1], [2], [3]], y: [1, 2, 2.5] }), { epochs: 1 });
    await expect(calibrated(numbers, data)).rejects.toThrow(/predicts numbers.*conformal\(\)/);
    const ratings = await fit(
      factorisation({ rank: 1 }),
      Ratings.fromTriples({ users: ["u", "v"], items: ["a", "b"], values: [1, 2] }),
      { epochs: 1 },
    );
    await expect(calibrated(ratings as unknown as LinearPredictor, data)).rejects.toThrow(
      /ratings are neither classes nor independent/,
    );
    const model = await fit(linear(), data, { epochs: 1 });
    await expect(calibrated(await conformal(model, data), data)).rejects.toThrow(/from before conformal\(\)/);
    await expect(calibrated(undefined as unknown as LinearPredictor, data)).rejects.toThrow(/the model is undefined/);
    await expect(calibrated({} as unknown as LinearPredictor, data)).rejects.toMatchObject({ code: "OPTION_TYPE" });
    await expect(calibrated(model, [[1, 2]] as unknown as Dataset)).rejects.toThrow(/heldOut is an array of 1/);
    await expect(calibrated(model, data, { method: "platt" as "isotonic" })).rejects.toMatchObject({ code: "OPTION_RANGE" });
    await expect(calibrated(model, data, { methods: "isotonic" } as object)).rejects.toThrow(/did you mean "method"/);
    await expect(calibrated(model, noisy(3, 60, 3))).rejects.toThrow(/"c2" is not a class/);
  });

  it("refuses rows without a target, and non-finite outputs", async () => {
    const model = await outputModel(2);
    const without = model.pipeline.apply([{ x0: 1 }, { x0: 2 }]);
    await expect(calibrated(model, without)).rejects.toThrow(/row 1 of .* has NaN for a target/);
    const wide = await outputModel(2, undefined, 1e300);
    const data = rowsOf([[1], [1e30], [-1], [2]], [0, 1, 1, 0], 2);
    await expect(calibrated(wide, data)).rejects.toThrow(/row 2 of .* has Infinity for an output of the model/);
  });
});
