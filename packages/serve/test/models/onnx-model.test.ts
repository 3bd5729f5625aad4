/** Joined requests of ONNX models, including refused requests and answers that cannot be split, without onnxruntime. */
import { expect, test } from "vitest";
import { OnnxModel } from "../../src/models/onnx-model.ts";
import type { OnnxPredictor, OnnxTensor } from "../../src/onnx/index.ts";
import { headingOf, tensorOfJson } from "../../src/v2/input-tensor.ts";

const port = (name: string) => ({ name, type: "float64" as const, shape: ["batch", 1] });

/** A model x [batch, 1] → y, computed by `run`. */
function modelOf(run: (x: OnnxTensor) => OnnxTensor | Promise<OnnxTensor>, joins = true): OnnxModel {
  const predictor = {
    inputs: [port("x")],
    outputs: [port("y")],
    run: async ({ x }: Record<string, OnnxTensor>) => ({ y: await run(x) }),
  } as unknown as OnnxPredictor;
  return new OnnxModel(predictor, { joins, because: "" }, { owned: false });
}

function answersOf(model: OnnxModel, requests: readonly number[][]): ReturnType<OnnxModel["run"]> {
  return model.run(
    requests.map((data) =>
      model.fromTensors([tensorOfJson(headingOf({ name: "x", datatype: "FP64", shape: [data.length, 1] }, 0), data)]),
    ),
  );
}

const numbersOf = (answers: readonly (readonly OnnxTensor[] | Error)[]) =>
  answers.map((answer) => [...((answer as OnnxTensor[])[0].data as Float64Array)]);

test.each([true, false])("runs requests together if allowed, else one after another: %s", async (joins) => {
  const runs: number[] = [];
  const model = modelOf((x) => {
    runs.push(x.shape[0]);
    return x;
  }, joins);
  expect(numbersOf(await answersOf(model, [[1, 2], [3]]))).toEqual([[1, 2], [3]]);
  expect(runs).toEqual(joins ? [3] : [2, 1]);
});

test("discards a joint answer without one part per row, and runs each request alone", async () => {
  const sum = ({ data, type }: OnnxTensor): OnnxTensor => {
    const total = (data as Float64Array).reduce((all, value) => all + value, 0);
    return { type, shape: [1, 1], data: Float64Array.of(total) };
  };
  expect(numbersOf(await answersOf(modelOf(sum), [[1, 2], [3]]))).toEqual([[3], [3]]);
});

test("fails only the refused one of joined requests, and all of them on other errors", async () => {
  const refusing = (code: string) =>
    modelOf((x) => {
      if ((x.data as Float64Array).some((value) => value < 0)) throw Object.assign(new Error("below 0"), { code });
      return x;
    });
  const [first, second, third] = await answersOf(refusing("ONNX_RUN"), [[1, 2], [-3], [4]]);
  expect([first, third].map((answer) => [...((answer as OnnxTensor[])[0].data as Float64Array)])).toEqual([[1, 2], [4]]);
  expect(second).toMatchObject({ code: "INPUT", message: "inputs: below 0 [INPUT]" });
  await expect(answersOf(refusing("BUSY"), [[1, 2], [-3], [4]])).rejects.toThrow("below 0");
});
