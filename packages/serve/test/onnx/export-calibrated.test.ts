/**
 * Calibrated models in Debian's onnxruntime: temperatures and curves, as fitted and at the curves' own points.
 * Conformal sets are refused.
 */
import {
  Dataset,
  dense,
  fit,
  type LinearPredictor,
  linear,
  type NetworkPredictor,
  network,
  predictor,
  relu,
  stream,
} from "ergodic";
import { calibrated, conformal } from "ergodic/calibration";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toOnnx } from "../../src/onnx/index.ts";
import { DebianRuntime, lacking } from "./debian.ts";

/** Outputs are float32, and all earlier values float64. */
const TOLERANCE = 2e-7;

type Curve = { scores: number[]; probabilities: number[] };

/** Overlapping rows around one point per class, with numbers or texts as classes. */
function rowsOf(seed: number, count: number, classes: number): { x: number[][]; y: string[] } {
  const d = stream(seed, "calibrated").at(0);
  const y = Array.from({ length: count }, (_, i) => i % classes);
  return {
    x: y.map((k) => Array.from({ length: 3 }, (_, j) => Math.fround((j === k ? 1 : 0) + d.normal()))),
    y: y.map((k) => `c${k}`),
  };
}

describe.skipIf(lacking)("calibrated models in onnxruntime", () => {
  let runtime: DebianRuntime;
  beforeAll(() => {
    runtime = new DebianRuntime();
  });
  afterAll(() => runtime.close());

  /** Compares probabilities and classes of both, for all rows together and for the first row alone. */
  async function agree(
    model: LinearPredictor | NetworkPredictor,
    x: readonly (readonly number[])[],
    tolerance = TOLERANCE,
  ): Promise<number[]> {
    const width = x[0].length;
    const bytes = toOnnx(model);
    let all: number[] = [];
    for (const rows of [x.slice(0, 1), x]) {
      const matrix = Float32Array.from(rows.flat());
      const ours = new Float64Array(model.width * rows.length);
      model.predictInto(matrix, ours);
      const { outputs } = await runtime.run(bytes, matrix, width);
      const { values, shape } = outputs.probabilities;
      expect(shape).toEqual([rows.length, model.width]);
      for (const [i, p] of ours.entries())
        expect(Math.abs(values[i] - p), `${rows[Math.floor(i / model.width)]}: ${p} and ${values[i]}`).toBeLessThan(tolerance);
      expect([...outputs.class.values].map((k) => model.classes![k])).toEqual(
        model.predict(rows.map((row) => [...row])).map(({ value }) => value),
      );
      all = [...values];
    }
    return all;
  }

  test.each(
    (["temperature", "isotonic"] as const).flatMap((method) =>
      (
        [
          ["logistic", 2],
          ["logistic", 3],
          ["multinomial", 3],
          ["multinomial", 2],
        ] as const
      ).flatMap(([loss, classes]) => [true, false].map((standardise) => ({ method, loss, classes, standardise }))),
    ),
  )("$method of $loss, $classes classes, standardised $standardise, agrees", async ({ method, loss, classes, standardise }) => {
    const [{ x, y }, held, fresh] = [150, 400, 200].map((count, i) => rowsOf(10 * classes + i, count, classes));
    const data = (rows: { x: number[][]; y: string[] }): Dataset =>
      Dataset.fromArrays({ ...rows, classes: true, type: "f64" } as never);
    const plain = (await fit(linear({ loss, standardise }), data({ x, y }), { epochs: 40, seed: 3 })) as LinearPredictor;
    const model = await predictor<LinearPredictor>((await calibrated(plain, data(held), { method })).toBytes());
    // Adds rows far from all others, where curves are flat, and a row that belongs to no class.
    const ends = [1e3, -1e3, 1e30, -1e30].flatMap((a) => [
      [a, 0, 0],
      [0, a, 0],
      [a, a, a],
    ]);
    const p = await agree(model, [...fresh.x, [0, 0, 0], ...ends]);
    const before = new Float64Array(plain.width * fresh.x.length);
    plain.predictInto(Float32Array.from(fresh.x.flat()), before);
    expect(Math.max(...before.map((value, i) => Math.abs(value - p[i])))).toBeGreaterThan(0.01);
  });

  /** z equals the row's own numbers times `scale`. The model is read from a file. */
  async function withCurves(
    loss: "logistic" | "multinomial",
    classes: number,
    probabilities: object,
    scale = 1,
  ): Promise<LinearPredictor> {
    const outputs = classes === 2 && loss === "logistic" ? 1 : classes;
    const x = Array.from({ length: 4 * classes }, (_, i) => Array.from({ length: outputs }, (_unused, j) => Math.sin(i + 2 * j)));
    const data = Dataset.fromArrays({ x, y: x.map((_, i) => `c${i % classes}`), classes: true, type: "f64" } as never);
    const model = (await fit(linear({ loss, standardise: false }), data, { epochs: 1, seed: 1 })) as LinearPredictor;
    model.weights.fill(0);
    for (let k = 0; k < outputs; k++) model.weights[k * outputs + k] = scale;
    model.intercept.fill(0);
    Object.assign(model.description, { calibration: { version: 1, probabilities: { rows: 9, ...probabilities } } });
    return predictor<LinearPredictor>(model.toBytes());
  }
  const near = (points: readonly number[]): number[] =>
    points.flatMap((s) => [s, Math.fround(s - 1e-5), Math.fround(s + 1e-5), s - 0.25, s + 0.25]);
  const far = [0, -0, 1e-30, -1e-30, 3e38, -3e38, 50, -50, 745, -745, 800];

  test.each<[string, Curve]>([
    ["one point", { scores: [0.5], probabilities: [0.75] }],
    ["two", { scores: [-1, 2], probabilities: [0.25, 1] }],
    ["a level, which is no class's more than the other's", { scores: [-2, -1, 1, 2], probabilities: [0.125, 0.5, 0.5, 0.875] }],
    ["no probability at all, and all of it", { scores: [-1, 0, 0.5], probabilities: [0, 0, 1] }],
    ["five points, which are no power of 2", { scores: [-3, -2, 0, 1, 4], probabilities: [0, 0.1, 0.3, 0.3, 0.9] }],
    [
      "a thousand",
      {
        scores: Array.from({ length: 1000 }, (_, i) => i / 64 - 8),
        probabilities: Array.from({ length: 1000 }, (_, i) => (i - (i % 3)) / 999),
      },
    ],
  ])("agrees for two classes with a curve of %s at, between and outside its points", async (_, curve) => {
    const model = await withCurves("logistic", 2, { method: "isotonic", curves: [curve] });
    const z = [...near(curve.scores.slice(0, 40)), ...far, ...near(curve.scores.slice(-2))].map((s) => [Math.fround(s)]);
    await agree(model, z);
  });

  test.each(["logistic", "multinomial"] as const)(
    "agrees for three classes of %s with curves of several lengths, ties and impossible rows",
    async (loss) => {
      const curves: Curve[] = [
        { scores: [-1, 1], probabilities: [0, 0.5] },
        { scores: [0], probabilities: [0] },
        { scores: [-2, -1, 0, 1, 2], probabilities: [0, 0, 0.25, 0.5, 0.5] },
      ];
      const model = await withCurves(loss, 3, { method: "isotonic", curves });
      const grid = [-40, -2, -1, 0, 0.5, 1, 2, 40];
      const z = grid.flatMap((a) => grid.flatMap((b) => grid.map((c) => [a, b, c])));
      const p = await agree(model, [
        ...z,
        ...far.flatMap((a) => [
          [a, 0, 0],
          [a, a, 1],
          [-a, a, -a],
        ]),
      ]);
      const rows = z.map((_, i) => p.slice(3 * i, 3 * i + 3).join());
      // No class is likely, so all are equal. The first and the third are tied, so the first is selected.
      expect(rows).toContain([1 / 3, 1 / 3, 1 / 3].map(Math.fround).join());
      expect(rows).toContain("0.5,0,0.5");
    },
  );

  test.each(
    [1e-18, 1e-3, 0.37, 1, 20, 1e6].flatMap((temperature) =>
      [
        ["logistic", 2],
        ["logistic", 3],
        ["multinomial", 3],
      ].map(([loss, classes]) => ({ temperature, loss, classes })),
    ),
  )("agrees with a temperature of $temperature, $loss, $classes classes", async ({ temperature, loss, classes }) => {
    const model = await withCurves(loss as "logistic", classes as number, { method: "temperature", temperature });
    const z = [...near([0, 1, -4]), ...far].map(Math.fround);
    const rows =
      classes === 2
        ? z.map((s) => [s])
        : z.flatMap((s) => [
            [s, 0, 0],
            [s, s, -1],
            [-s, 40, s],
            [s, s, s],
          ]);
    await agree(model, rows);
  });

  // z is float32, and other summation orders round it differently, so these curves are nowhere steep.
  test.each(
    (["temperature", "isotonic"] as const).flatMap((method) =>
      (
        [
          ["logistic", 2],
          ["logistic", 3],
          ["multinomial", 3],
        ] as const
      ).map(([loss, classes]) => ({ method, loss, classes })),
    ),
  )("agrees for a network of $loss, $classes classes, by $method", async ({ method, loss, classes }) => {
    const data = Dataset.fromArrays({ ...rowsOf(classes, 90, classes), classes: true } as never);
    const outputs = classes === 2 && loss === "logistic" ? 1 : classes;
    const plain = (await fit(network([dense(8), relu(), dense(outputs)], { loss }), data, {
      epochs: 20,
      seed: 1,
    })) as NetworkPredictor;
    const curves = Array.from({ length: outputs }, (_, k) => ({ scores: [-3, k, 3], probabilities: [0.1, 0.2 + k / 10, 0.9] }));
    const own = method === "temperature" ? { temperature: 1.7 } : { curves };
    Object.assign(plain.description, { calibration: { version: 1, probabilities: { method, rows: 9, ...own } } });
    const model = await predictor<NetworkPredictor>(plain.toBytes());
    try {
      const p = await agree(model, rowsOf(9, 40, classes).x, 1e-5);
      expect(new Set(p).size).toBeGreaterThan(40);
    } finally {
      model.dispose();
      plain.dispose();
    }
  });

  test("rounded values of a curve do not exceed its points, where another class would come first", async () => {
    // 0.03 + (0.29 − 0.03) is above 0.29.
    const level = { scores: [0], probabilities: [0.29] };
    const curves = [level, { scores: [-1e300, 5], probabilities: [0.03, 0.29] }, { scores: [0], probabilities: [0] }];
    const model = await withCurves("multinomial", 3, { method: "isotonic", curves });
    expect(model.predict([0, 0, 0]).value).toBe("c0");
    await agree(model, [
      [0, 0, 0],
      [-1, 2, 3],
    ]);
  });

  test("a curve reproduces its points to the last bit, because other classes can have equal values", async () => {
    // Log odds of three equally likely classes: −log 2. 0.09 + (0.41 − 0.09) is below 0.41.
    const curves = [
      { scores: [-2, -Math.LN2, 5], probabilities: [0.09, 0.41, 1] },
      { scores: [0], probabilities: [0.41] },
      { scores: [0], probabilities: [0] },
    ];
    const model = await withCurves("multinomial", 3, { method: "isotonic", curves });
    expect(model.predict([0, 0, 0]).value).toBe("c0");
    await agree(model, [[0, 0, 0]]);
  });

  test("infinite outputs give probabilities of 0 or 1", async () => {
    const huge = 3e38;
    const curve = (low: number, high: number) => ({ scores: [-1, 1], probabilities: [low, high] });
    const three = [curve(0, 0.5), curve(0.125, 0.25), curve(0.25, 1)];
    for (const [loss, classes, own] of [
      ["logistic", 2, { method: "temperature", temperature: 3 }],
      ["logistic", 2, { method: "isotonic", curves: [curve(0.25, 0.75)] }],
      ["logistic", 3, { method: "temperature", temperature: 3 }],
      ["logistic", 3, { method: "isotonic", curves: three }],
      ["multinomial", 3, { method: "temperature", temperature: 3 }],
      ["multinomial", 3, { method: "isotonic", curves: three }],
    ] as const) {
      const model = await withCurves(loss, classes, own, 1e300);
      const p = await agree(
        model,
        classes === 2
          ? [[huge], [-huge], [0]]
          : [
              [huge, 0, 0],
              [0, -huge, 0],
              [-huge, 0, huge],
              // No class is less likely than another.
              ...(own.method === "temperature" ? [[-huge, -huge, -huge]] : []),
            ],
      );
      expect(p.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });

  test("a row of NaN has no probabilities from curves and equal ones from a temperature", async () => {
    const curves = [{ scores: [-1, 1], probabilities: [0.25, 0.75] }];
    for (const [classes, own] of [
      [2, { method: "isotonic", curves }],
      [3, { method: "isotonic", curves: [curves[0], curves[0], curves[0]] }],
      [2, { method: "temperature", temperature: 2 }],
      [3, { method: "temperature", temperature: 2 }],
    ] as const) {
      const model = await withCurves("logistic", classes, own);
      const width = classes === 2 ? 1 : 3;
      const { outputs } = await runtime.run(toOnnx(model), new Float32Array(2 * width).fill(Number.NaN, 0, width), width);
      const [first, second] = [0, 1].map((i) => [...outputs.probabilities.values.slice(i * classes, (i + 1) * classes)]);
      expect(first).toEqual(Array(classes).fill(own.method === "isotonic" ? Number.NaN : Math.fround(1 / classes)));
      expect(second).toEqual(Array(classes).fill(Math.fround(1 / classes)));
    }
  });
});

describe("conformal sets and intervals", () => {
  const advice =
    "which an ONNX file cannot return; export the model from before conformal() or ergodic calibrate --alpha [ONNX_MODEL]";

  test("are refused for classes, also calibrated ones, whose original model can be exported", async () => {
    const data = Dataset.fromArrays({ ...rowsOf(1, 90, 3), classes: true } as never);
    const model = (await fit(linear({ loss: "multinomial" }), data, { epochs: 3, seed: 1 })) as LinearPredictor;
    const honest = await calibrated(model, data);
    for (const given of [model, honest]) {
      const sets = await conformal(given, data, { alpha: 0.2 });
      expect(() => toOnnx(sets)).toThrow(`toOnnx: the model has conformal sets, ${advice}`);
      expect(() => toOnnx(given)).not.toThrow();
    }
  });

  test("are refused for numbers", async () => {
    const x = Array.from({ length: 40 }, (_, i) => [i % 7]);
    const data = Dataset.fromArrays({ x, y: x.map(([a], i) => a + (i % 3)) });
    const model = await fit(linear({ loss: "squared" }), data, { epochs: 3, seed: 1 });
    const sure = await conformal(model, data, { alpha: 0.2 });
    expect(() => toOnnx(sure as never)).toThrow(`toOnnx: the model has conformal intervals, ${advice}`);
  });
});
