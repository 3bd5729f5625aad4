/**
 * Networks in Debian's onnxruntime, compared with our own predictions: random architectures over every layer, and the
 * published ones.
 */

import { Dataset, fit, type NetworkPredictor, network, stream } from "ergodic";
import * as compiler from "ergodic/compiler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as ergodic from "../../../ergodic/src/entries/everything.ts";
import { isSlow, power } from "../../../ergodic/test/power.ts";
import { toOnnx } from "../../src/onnx/index.ts";
import { architecture } from "./architectures.ts";
import { DebianRuntime, lacking } from "./debian.ts";

const TOLERANCE = 1e-5;

interface Target {
  readonly outputs: number;
  readonly loss: "squared" | "poisson" | "logistic" | "multinomial" | "hinge";
  readonly classes: number;
}

const TARGETS: readonly Target[] = [
  { outputs: 1, loss: "squared", classes: 0 },
  { outputs: 1, loss: "poisson", classes: 0 },
  { outputs: 1, loss: "logistic", classes: 2 },
  { outputs: 1, loss: "hinge", classes: 2 },
  { outputs: 3, loss: "multinomial", classes: 3 },
  { outputs: 3, loss: "logistic", classes: 3 },
  { outputs: 3, loss: "hinge", classes: 3 },
];

/**
 * Seeds of random architectures. `npm test` takes those of the first 60 that add a kind of layer, an activation or a
 * target to the earlier ones.
 */
const SEEDS = Array.from({ length: power(60, 120) }, (_, seed) => seed);
const seen = new Set<string>();
const ADDING = SEEDS.filter((seed) => {
  const before = seen.size;
  for (const kind of [...architecture(seed, 1).kinds, `target ${seed % TARGETS.length}`]) seen.add(kind);
  return isSlow || seen.size > before;
});

/** Fits for one epoch over a few random rows, so that batch statistics have arbitrary values. */
export async function fitted(
  layers: ergodic.LayerLike[],
  rowShape: readonly number[],
  { loss, classes }: Target,
  seed: number,
): Promise<NetworkPredictor> {
  const d = stream(seed, "rows").at(0);
  const width = rowShape.reduce((a, b) => a * b, 1);
  const x = Array.from({ length: 24 }, () => Array.from({ length: width }, () => 2 * d.normal() + 0.5));
  const y = x.map((_, i) => (classes > 0 ? i % classes : loss === "poisson" ? d.integer(4) : 3 * d.normal() + 20));
  const data = Dataset.fromArrays({ x, y, classes: classes > 0, rowShape });
  return (await fit(network(layers, { loss }), data, {
    epochs: 1,
    batch: 8,
    seed,
    rule: ergodic.sgd({ rate: 0.01 }),
  })) as NetworkPredictor;
}

/** Unseen rows as float32. */
function rowsFor(seed: number, count: number, width: number): Float32Array {
  const d = stream(seed, "questions").at(0);
  return Float32Array.from({ length: count * width }, () => 3 * d.normal());
}

describe.skipIf(lacking)("networks in onnxruntime", () => {
  let runtime: DebianRuntime;
  beforeAll(() => {
    runtime = new DebianRuntime();
  });
  afterAll(() => runtime.close());

  async function agree(model: NetworkPredictor, seed: number, counts = [1, 5]): Promise<string[]> {
    const bytes = toOnnx(model);
    const width = model.pipeline.columnCount;
    let operations: string[] = [];
    for (const count of counts) {
      const rows = rowsFor(seed + count, count, width);
      const ours = new Float64Array(model.width * count);
      model.predictInto(rows, ours);
      const answer = await runtime.run(bytes, rows, width);
      operations = answer.operations;
      const name = model.classes ? (answer.outputs.probabilities ? "probabilities" : "scores") : "value";
      const { values, shape } = answer.outputs[name];
      expect(shape).toEqual([count, model.width]);
      for (const [i, value] of ours.entries()) {
        const off = Math.abs(values[i] - value) / Math.max(1, Math.abs(value));
        expect(off, `output ${i}: ours ${value}, onnxruntime's ${values[i]}`).toBeLessThanOrEqual(TOLERANCE);
      }
      if (model.classes) {
        const named = model.predict(
          Array.from({ length: count }, (_, i) => Array.from(rows.subarray(i * width, (i + 1) * width))),
        );
        expect([...answer.outputs.class.values].map((k) => model.classes![k])).toEqual(named.map(({ value }) => value));
      }
    }
    return operations;
  }

  test.each(ADDING)("agrees for random architecture %i", async (seed) => {
    const target = TARGETS[seed % TARGETS.length];
    const { rowShape, layers } = architecture(seed, target.outputs);
    const model = await fitted(layers, rowShape, target, seed);
    try {
      await agree(model, seed, isSlow ? [1, 5] : [5]);
    } finally {
      model.dispose();
    }
  });

  test("the random architectures contain every activation, and every layer that is not only for training", () => {
    const others = ["embedding", "frozen", "grouped", "sequential", "noise", "randomCutout", "randomFlip", "randomShift"];
    others.push("byImageSize"); // mobileNetV1 below has it
    // Another test may have defined kinds of its own, which the library does not export.
    const wanted = ergodic.layerKinds().filter((kind) => kind in ergodic && !others.includes(kind));
    expect(wanted.filter((kind) => !seen.has(kind))).toEqual([]);
    expect(ergodic.activationNames.filter((name) => !seen.has(`activation ${name}`))).toEqual([]);
  });

  const small = { outputs: 10 };
  // mobileNetV2 has all layers of the first version, and so does shuffleNetV2 with its shuffles.
  const first: [string, ergodic.Layer, number[]][] = [
    ["mobileNetV1", ergodic.mobileNetV1({ ...small, width: 0.25 }), [12, 12, 3]],
    ["shuffleNetV1", ergodic.shuffleNetV1({ ...small, width: 0.25, groups: 2, form: "small" }), [12, 12, 1]],
  ];
  test.each<[string, ergodic.Layer, number[]]>([
    ...(isSlow ? first : []),
    ["mlp", ergodic.mlp([32, 16], small), [20]],
    ["cnn", ergodic.cnn(small), [12, 12, 1]],
    ["mobileNetV2", ergodic.mobileNetV2({ ...small, width: 0.25, form: "small" }), [12, 12, 3]],
    ["shuffleNetV2", ergodic.shuffleNetV2({ ...small, width: 0.5, form: "small" }), [12, 12, 1]],
    ["circulantNet", ergodic.circulantNet(small), [12, 12, 1]],
  ])("%s transposes images only at the ends and in shuffles", async (name, layer, rowShape) => {
    const model = await fitted([layer], rowShape, { outputs: 10, loss: "multinomial", classes: 10 }, 1);
    const operations = await agree(model, 1, [2]);
    model.dispose();
    const shuffles = JSON.stringify(layer.toJSON()).split('"channelShuffle"').length - 1;
    // Patches of circulant layers are made with channels last.
    if (name !== "circulantNet") expect(operations.filter((op) => op === "Transpose").length).toBeLessThanOrEqual(shuffles + 2);
    expect(operations).not.toContain("BatchNormalization");
  });

  const { layer: defined } = ergodic;
  /** User-defined layers over operations that the library's layers do not use, each on rows [4, 6]. */
  const own: Record<string, (x: compiler.SymbolicArray, scope: ergodic.Scope) => compiler.SymbolicArray> = {
    ownSlices: (x) => compiler.slice(compiler.flip(x, 1), { axis: 2, from: 0, to: 5, step: -2 }),
    ownSteps: (x) => compiler.slice(x, { axis: 1, step: 3 }),
    ownSums: (x) => compiler.cumsum(compiler.cumsum(x, { axis: 1 }), { axis: 2, reverse: true }),
    ownExtremes: (x) =>
      compiler.sub(compiler.maximum(x, { axis: 2 }), compiler.slice(compiler.minimum(x, { axis: 1 }), { axis: 1, to: 4 })),
    ownPads: (x) =>
      compiler.pad(x, [
        [0, 0],
        [1, 2],
        [0, 3],
      ]),
    ownFunctions: (x) =>
      compiler.stack(
        [
          compiler.where(
            compiler.or(compiler.less(compiler.round(x), -1), compiler.not(compiler.lessEqual(compiler.round(x), 1))),
            compiler.round(x),
            compiler.floor(x),
          ),
          compiler.where(compiler.and(x, compiler.equal(compiler.sign(x), 1)), compiler.sqrt(compiler.abs(x)), compiler.neg(x)),
          compiler.add(compiler.sin(x), compiler.mul(compiler.cos(x), compiler.atan(x))),
          compiler.add(compiler.erfc(x), compiler.log1p(compiler.square(x))),
          compiler.pow(compiler.add(1, compiler.abs(x)), 0.3),
          compiler.div(compiler.log(compiler.add(2, compiler.square(x))), compiler.max(compiler.min(x, 3), 0.5)),
          compiler.mul(1, compiler.less(x, 0)),
        ],
        1,
      ),
    ownScan(x) {
      const { carries, outputs, histories } = compiler.scan(
        [compiler.full(1, [x.shape[0], 6]), compiler.at(x, 0, 1)],
        [compiler.transpose(x, [1, 0, 2])],
        ([a, b], [now]) => [[compiler.tanh(compiler.add(a, compiler.mul(0.5, now))), a], [compiler.mul(b, now)]],
        { reverse: true },
      );
      const along = (y: compiler.SymbolicArray): compiler.SymbolicArray => compiler.transpose(y, [1, 0, 2]);
      return compiler.concatenate([along(outputs[0]), along(histories[0]), compiler.reshape(carries[1], [-1, 1, 6])], 1);
    },
    ownSteppedScan: (x) =>
      compiler.scan([compiler.mean(x, { axis: 2 })], [], ([a]) => [[compiler.mul(0.9, compiler.tanh(a))], []], { length: 5 })
        .carries[0],
    ownParts(x) {
      // Four parts of each example, each with its own state.
      const parts = compiler.reshape(x, [-1, 6]);
      const start = compiler.full(0.5, parts.shape);
      const step = ([a]: compiler.SymbolicArray[]) => [[compiler.tanh(compiler.add(a, compiler.mul(0.3, parts)))], []] as const;
      return compiler.reshape(compiler.scan([start], [], step, { length: 3 }).carries[0], [-1, 24]);
    },
    ownClips: (x) => compiler.add(compiler.min(1, compiler.max(2, x)), compiler.min(compiler.max(x, -0.5), 0.5)),
    ownProducts: (x) => compiler.matmul(x, compiler.transpose(x, [0, 2, 1])),
    ownRows: (x) => compiler.gather(compiler.constantArray([1, 2, 3, 4, 5, 6], [3, 2]), compiler.max(0, compiler.min(2, x))),
    ownBroadcast: (x) =>
      compiler.add(compiler.broadcastTo(compiler.reshape(compiler.at(x, 0, 1), [-1, 1, 6]), x.shape), compiler.full(2, [4, 1])),
    ownPatches: (x) =>
      compiler.reshape(
        compiler.patches(compiler.reshape(x, [-1, 4, 3, 2]), { size: 2, strides: [2, 1], padding: "same", dilation: [1, 2] }),
        [x.shape[0], -1],
      ),
  };
  test.each(Object.keys(own))("agrees for a layer of the user's own: %s", async (kind) => {
    const layer = defined(kind, own[kind])();
    const target = { outputs: 1, loss: "squared", classes: 0 } as const;
    const model = await fitted(
      [layer, ergodic.flatten(), ergodic.dense(1, { initial: ergodic.normalInitial({ deviation: 0.1 }) })],
      [4, 6],
      target,
      3,
    );
    await agree(model, 3);
    model.dispose();
  });

  /** Layers after a convolution, whose result in the file has channels first. */
  const onImages: Record<string, (x: compiler.SymbolicArray) => compiler.SymbolicArray> = {
    sumOfRows: (x) => compiler.sum(x, { axis: 1 }),
    largestOfColumns: (x) => compiler.maximum(x, { axis: 2 }),
    sumOfChannels: (x) => compiler.sum(x, { axis: 3 }),
    leastOfAll: (x) => compiler.reshape(compiler.minimum(x, { axis: [1, 2, 3] }), [-1, 1]),
    sumOfPlaces: (x) => compiler.sum(x, { axis: [1, 2] }),
    lowerRows: (x) => compiler.slice(x, { axis: 1, from: 1 }),
    mirrored: (x) => compiler.flip(x, 2),
    framed: (x) =>
      compiler.pad(x, [
        [0, 0],
        [1, 0],
        [0, 2],
        [1, 1],
      ]),
    stacked: (x) => compiler.concatenate([x, compiler.neg(x)], 1),
    turned: (x) => compiler.transpose(x, [0, 2, 1, 3]),
    planes: (x) => compiler.mul(x, compiler.constantArray([1, 2, 3], [3, 1])),
    means: (x) => compiler.sub(x, compiler.reshape(compiler.mean(x, { axis: [1, 2] }), [-1, 1, 1, 5])),
    regrouped: (x) => compiler.reshape(compiler.transpose(compiler.reshape(x, [-1, 4, 3, 5, 1]), [0, 1, 2, 4, 3]), [-1, 4, 3, 5]),
    cellsTurned: (x) =>
      compiler.reshape(
        compiler.transpose(compiler.reshape(compiler.slice(x, { axis: 1, to: 3 }), [-1, 3, 3, 5, 1]), [0, 2, 1, 3, 4]),
        [-1, 3, 3, 5],
      ),
    columnsApart: (x) =>
      compiler.reshape(compiler.transpose(compiler.reshape(x, [-1, 2, 2, 3, 5]), [0, 1, 2, 4, 3]), [-1, 4, 5, 3]),
  };
  test.each(Object.keys(onImages))("agrees on images with channels first: %s", async (kind) => {
    const layers = [ergodic.convolution(5), defined(`onImages${kind}`, onImages[kind])(), ergodic.flatten(), ergodic.dense(1)];
    const model = await fitted(layers, [4, 3, 2], { outputs: 1, loss: "squared", classes: 0 }, 3);
    await agree(model, 3);
    model.dispose();
  });

  const number = { outputs: 1, loss: "squared", classes: 0 } as const;
  const { relu, flatten, dense } = ergodic;

  test.each<[string, ergodic.LayerLike[]]>([
    ["a maximum", [ergodic.maxPool(2, { stride: 1, padding: 3 }), relu(), flatten(), dense(1)]],
    ["a mean of all", [ergodic.averagePool(2, { stride: 1, padding: 2, countPadding: true }), flatten(), dense(1)]],
  ])("%s agrees over windows entirely in the padding", async (_, layers) => {
    const model = await fitted(layers, [5, 4, 2], number, 1);
    await agree(model, 1);
    model.dispose();
  });

  test("refuses a mean over windows entirely in the padding", async () => {
    const model = await fitted([ergodic.averagePool(2, { stride: 1, padding: 2 }), flatten(), dense(1)], [5, 4, 2], number, 1);
    expect(() => toOnnx(model)).toThrow(
      /an averagePool has windows entirely inside its padding, which ONNX does not support.*\[ONNX_OPERATION\]/,
    );
    model.dispose();
  });

  test("agrees with a layer used twice, frozen and grouped layers, and an unused branch", async () => {
    const twice = dense(6, { initialBias: ergodic.normalInitial({ deviation: 1 }) });
    const layers = [dense(6), twice, relu(), ergodic.frozen(ergodic.batchNorm()), twice, ergodic.grouped("slow", dense(1))];
    const model = await fitted(layers, [4], number, 1);
    await agree(model, 1);
    model.dispose();
  });

  test("selects embedding rows by number, and returns NaN for unknown numbers", async () => {
    const layers = [ergodic.embedding(5, 3), flatten(), dense(1)];
    const x = Array.from({ length: 12 }, (_, i) => [i % 5, (i * 2) % 5]);
    const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a - 2 * b) });
    const model = (await fit(network(layers, { loss: "squared" }), data, { epochs: 1, seed: 1 })) as NetworkPredictor;
    const rows = Float32Array.of(0, 4, 3.7, 1, -1, 2, 5, 0, 4.99, -0.5);
    const out = new Float64Array(1);
    // Our own predictor refuses such a row and reports its position.
    const ours = Array.from({ length: 5 }, (_, i) => {
      try {
        model.predictInto(rows.subarray(2 * i, 2 * i + 2), out);
        return out[0];
      } catch (error) {
        expect((error as ergodic.DataError).code).toBe("PREDICT_NUMBER");
        return Number.NaN;
      }
    });
    const { values } = (await runtime.run(toOnnx(model), rows, 2)).outputs.value;
    expect(ours.map(Number.isNaN)).toEqual([false, false, true, true, true]);
    for (const [i, value] of ours.entries())
      if (Number.isNaN(value)) expect(values[i]).toBeNaN();
      else expect(values[i]).toBeCloseTo(value, 5);
    model.dispose();
  });

  test("agrees for networks that give the same output for all rows", async () => {
    const model = await fitted([dense(1), ergodic.layerNorm(), dense(1)], [3], number, 1);
    await agree(model, 1);
    model.dispose();
  });

  test("bytes do not depend on earlier exports", async () => {
    const model = await fitted([dense(3), relu(), dense(1)], [3], number, 1);
    const before = toOnnx(model);
    const other = await fitted([dense(7), relu(), ergodic.batchNorm(), dense(1)], [5], number, 2);
    toOnnx(other);
    expect(toOnnx(model)).toEqual(before);
    for (const one of [model, other]) one.dispose();
  });

  test("refuses a function without a form in ONNX by name", async () => {
    const layer = defined("ownRefused", (x: compiler.SymbolicArray) => compiler.lgamma(compiler.add(1, compiler.abs(x))))();
    const model = await fitted([layer, dense(1)], [4], number, 1);
    expect(() => toOnnx(model)).toThrow(/the network computes lgamma\(x\), which ONNX does not have.*\[ONNX_OPERATION\]/);
    model.dispose();
  });
});
