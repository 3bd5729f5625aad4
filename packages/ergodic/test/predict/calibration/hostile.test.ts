/**
 * Files whose calibration is damaged, of a later version, or of another kind of model are refused before it is used.
 */
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/engine/contract/index.ts";
import {
  type AnyPredictor,
  factorisation,
  fit,
  type LinearPredictor,
  linear,
  predictor,
  Ratings,
} from "../../../src/entries/everything.ts";
import { calibrated, conformal } from "../../../src/predict/calibration/index.ts";
import { decodeModel, encodeModel } from "../../../src/predict/model-file.ts";
import { classRows, outputModel, range, rowsOf, uniforms } from "./models.ts";

const data = (classes: number) => {
  const { z, y } = classRows(uniforms(classes + 1), 40, classes, 1);
  return rowsOf(z, y, classes);
};
const three = await outputModel(3);
const files = {
  temperature: (await conformal(await calibrated(three, data(3)), data(3), { alpha: 0.2, score: "aps" })).toBytes(),
  isotonic: (await calibrated(three, data(3), { method: "isotonic" })).toBytes(),
  two: (await calibrated(await outputModel(2), data(2), { method: "isotonic" })).toBytes(),
  numbers: (
    await conformal(
      await outputModel(0),
      rowsOf(
        range(20).map((i) => [i]),
        range(20).map((i) => i + (i % 3)),
        0,
      ),
    )
  ).toBytes(),
};

/** The file with another calibration. */
function changed(bytes: Uint8Array, change: (calibration: JsonObject) => Json | undefined): Uint8Array {
  const { metadata, tensors, describe } = decodeModel(bytes, "test");
  const { calibration, ...rest } = describe();
  const found = change(structuredClone(calibration) as JsonObject);
  return encodeModel(metadata.kind, { ...rest, ...(found === undefined ? {} : { calibration: found }) }, tensors);
}

const part =
  (name: string, more: JsonObject) =>
  (all: JsonObject): Json => ({ ...all, [name]: { ...(all[name] as JsonObject), ...more } });
const without =
  (name: string, key: string) =>
  (all: JsonObject): Json => {
    const { [key]: _, ...rest } = all[name] as JsonObject;
    return { ...all, [name]: rest };
  };
const curve =
  (more: JsonObject) =>
  (all: JsonObject): Json => {
    const { curves, ...rest } = all.probabilities as { curves: JsonObject[] };
    return { ...all, probabilities: { ...rest, curves: curves.map((one, k) => (k === 1 ? { ...one, ...more } : one)) } };
  };
const just = (json: Json) => (): Json => json;

type Case = [string, keyof typeof files, (calibration: JsonObject) => Json, RegExp];
const cases: Case[] = [
  ["null", "temperature", just(null), /has calibration null/],
  ["a list", "temperature", just([]), /has calibration \[\]/],
  ["a text", "temperature", just("temperature"), /has calibration "temperature"/],
  ["of nothing", "temperature", just({ version: 1 }), /has calibration \{"version":1\}/],
  ["without a version", "temperature", ({ version: _, ...rest }) => rest, /has calibration/],
  ...[0, -1, 0.5, "1", null, true].map(
    (version): Case => [
      `of version ${JSON.stringify(version)}`,
      "temperature",
      (all) => ({ ...all, version }),
      /has calibration/,
    ],
  ),
  [
    "with probabilities that are none",
    "temperature",
    (all) => ({ ...all, probabilities: null }),
    /calibrated probabilities null/,
  ],
  ["with sets that are none", "temperature", (all) => ({ ...all, conformal: [] }), /conformal sets \[\]/],
  ["of an unknown method", "temperature", part("probabilities", { method: "constructor" }), /calibration method "constructor"/],
  ...[0, -1, null, "1", Number.NaN].map(
    (temperature): Case => [
      `of temperature ${String(temperature)}`,
      "temperature",
      part("probabilities", { temperature }),
      /has temperature/,
    ],
  ),
  ["without a temperature", "temperature", without("probabilities", "temperature"), /has temperature missing/],
  ...[0, 1.5, -1, null].map((rows): Case => [`of ${rows} rows`, "temperature", part("probabilities", { rows }), /has rows/]),
  ["without curves", "isotonic", without("probabilities", "curves"), /curves that are not a list of 3/],
  [
    "with two curves for three classes",
    "isotonic",
    (all) => part("probabilities", { curves: (all.probabilities as { curves: Json[] }).curves.slice(1) })(all),
    /not a list of 3/,
  ],
  [
    "with three curves for two classes",
    "two",
    (all) => part("probabilities", { curves: range(3).map(() => (all.probabilities as { curves: Json[] }).curves[0]) })(all),
    /not a list of 1/,
  ],
  [
    "with a curve that is none",
    "isotonic",
    (all) => part("probabilities", { curves: [...(all.probabilities as { curves: Json[] }).curves.slice(1), null] })(all),
    /calibration curve null/,
  ],
  ["with an empty curve", "isotonic", curve({ scores: [], probabilities: [] }), /must ascend/],
  ["with a score too many", "isotonic", curve({ scores: [0, 1, 2], probabilities: [0, 1] }), /must ascend/],
  ["with a score too few", "isotonic", curve({ scores: [0], probabilities: [0, 1] }), /must ascend/],
  ["with equal scores", "isotonic", curve({ scores: [0, 0], probabilities: [0, 1] }), /must ascend/],
  ["with falling scores", "isotonic", curve({ scores: [1, 0], probabilities: [0, 1] }), /must ascend/],
  ["with falling probabilities", "isotonic", curve({ scores: [0, 1, 2], probabilities: [0, 0.5, 0.4] }), /must ascend/],
  ["with a probability above 1", "isotonic", curve({ scores: [0, 1], probabilities: [0, 1.0001] }), /must ascend/],
  ["with a probability below 0", "isotonic", curve({ scores: [0, 1], probabilities: [-0.1, 1] }), /must ascend/],
  ["with a score that is no number", "isotonic", curve({ scores: [0, null], probabilities: [0, 1] }), /must ascend/],
  ["with a probability that is a text", "isotonic", curve({ scores: [0, 1], probabilities: [0, "1"] }), /must ascend/],
  ["with scores too far apart", "isotonic", curve({ scores: [-1.7e308, 1.7e308], probabilities: [0, 1] }), /must ascend/],
  ["with scores that are an object", "isotonic", curve({ scores: { length: 1, 0: 1 }, probabilities: [1] }), /must ascend/],
  ["with the score of numbers", "temperature", part("conformal", { score: "absolute" }), /score "absolute", but lac or aps/],
  ["with the score of classes", "numbers", part("conformal", { score: "lac" }), /score "lac", but absolute or scaled/],
  ["without a score", "numbers", without("conformal", "score"), /score missing/],
  ...[0, 1, -0.5, 2, null, "0.1", 1e-9].map(
    (alpha): Case => [`with alpha ${String(alpha)}`, "temperature", part("conformal", { alpha }), /has alpha/],
  ),
  [
    "of fewer rows than alpha wants",
    "temperature",
    part("conformal", { rows: 3 }),
    /has alpha 0\.2, which is impossible with 3 rows/,
  ],
  ...[-0.1, 1.1, null, "1"].map(
    (quantile): Case => [`with quantile ${String(quantile)}`, "temperature", part("conformal", { quantile }), /has quantile/],
  ),
  ["with a quantile below 0 of numbers", "numbers", part("conformal", { quantile: -1 }), /has quantile/],
  ["without a quantile", "numbers", without("conformal", "quantile"), /has quantile missing/],
  ...[-0.1, 1.5, null].map((tie): Case => [`with tie ${String(tie)}`, "temperature", part("conformal", { tie }), /has tie/]),
  ...[-1, 0.5, null].map((seed): Case => [`with seed ${String(seed)}`, "temperature", part("conformal", { seed }), /has seed/]),
  [
    "with probabilities for numbers",
    "numbers",
    (all) => ({ ...all, probabilities: { method: "temperature", temperature: 2, rows: 3 } }),
    /calibrated probabilities/,
  ],
];

describe("refused calibrations", () => {
  it.each(cases)("refuses a calibration: %s", async (_, file, change, words) => {
    const found = predictor(changed(files[file], change));
    await expect(found).rejects.toThrow(words);
    await expect(predictor(changed(files[file], change))).rejects.toMatchObject({ name: "DataError", code: "MODEL_FORMAT" });
  });

  it("refuses a later version and names the library to install", async () => {
    const found = predictor(changed(files.temperature, (all) => ({ ...all, version: 2 })));
    await expect(found).rejects.toMatchObject({
      code: "MODEL_VERSION",
      message: expect.stringMatching(/version 2.*update ergodic/) as string,
    });
  });

  it("refuses calibration of models without probabilities, and of ratings", async () => {
    const { describe: calibration } = decodeModel(files.temperature, "test");
    const own = (calibration() as { calibration: Json }).calibration;
    const hinge = (await fit(linear({ loss: "hinge" }), data(3), { epochs: 1 })).toBytes();
    await expect(predictor(changed(hinge, just(own)))).rejects.toThrow(/has calibration .*invalid for this model/);
    const ratings = Ratings.fromTriples({ users: ["u", "v"], items: ["a", "b"], values: [1, 2] });
    const rated = (await fit(factorisation({ rank: 1 }), ratings, { epochs: 1 })).toBytes();
    await expect(predictor(changed(rated, just(own)))).rejects.toThrow(/has a calibration, but predicts ratings/);
  });
});

it("a file without calibration predicts as before", async () => {
  const bare = changed(files.temperature, () => undefined);
  const model = await predictor<LinearPredictor>(bare);
  expect(model.description.calibration).toBeUndefined();
  expect(bare).toEqual(three.toBytes());
  expect(model.predict([1, 2, 3])).toEqual(three.predict([1, 2, 3]));
});

it("a file preserves long curves to the last bit", async () => {
  const u = uniforms(77);
  const [scores, probabilities] = [
    range(2000).map((i) => i + u()),
    range(2000)
      .map(() => u())
      .sort((a, b) => a - b),
  ];
  const bytes = changed(files.isotonic, curve({ scores, probabilities }));
  const model = (await predictor<AnyPredictor>(bytes)) as LinearPredictor;
  expect((model.description.calibration as { probabilities: { curves: Json[] } }).probabilities.curves[1]).toEqual({
    scores,
    probabilities,
  });
  expect(model.toBytes()).toEqual(bytes);
});
