/** Which ONNX models may have their requests joined, by the names of their first axes, and what becomes of those that are refused; without onnxruntime. */
import { expect, test } from "vitest";
import { OnnxModel } from "../../src/models/onnx-model.ts";
import type { OnnxPredictor, OnnxTensor } from "../../src/onnx/index.ts";
import { headingOf, tensorOfJson } from "../../src/v2/input-tensor.ts";

type Axis = string | number;
const port = (name: string, shape: Axis[]) => ({ name, type: "float64" as const, shape });

/** Rows of each run, of two requests with two rows and with one. y = x, z = x. */
async function runsOf(x: Axis[], y: Axis[], z: Axis[]): Promise<number[]> {
  const runs: number[] = [];
  const predictor = {
    inputs: [port("x", x)],
    outputs: [port("y", y), port("z", z)],
    async run({ x: given }: Record<string, OnnxTensor>) {
      runs.push(given.shape[0]);
      return { y: given, z: given };
    },
  } as unknown as OnnxPredictor;
  const model = new OnnxModel(predictor, false);
  const works = [[1, 2], [3]].map((data) =>
    model.fromTensors([tensorOfJson(headingOf({ name: "x", datatype: "FP64", shape: [data.length, 1] }, 0), data)]),
  );
  const answers = await model.run(works);
  expect(answers.map((answer) => [...model.output(answer as OnnxTensor[], 1).elements])).toEqual([[1, 2], [3]]);
  return runs;
}

test.each<[string, Axis[], Axis[], Axis[], number[]]>([
  ["one batch everywhere", ["batch", 1], ["batch", 1], ["batch", 1], [3]],
  ["N", ["N", 1], ["N", 1], ["N", 1], [3]],
  ["an output without it", ["batch", 1], ["batch", 1], [1, 1], [2, 1]],
  ["an output with another axis first", ["batch", 1], ["batch", 1], ["n", "batch"], [2, 1]],
  ["one that may be time", ["length", 1], ["length", 1], ["length", 1], [2, 1]],
  ["a name that only begins with n", ["names", 1], ["names", 1], ["names", 1], [2, 1]],
  ["fixed sizes", [2, 1], [2, 1], [2, 1], [2, 1]],
])("%s", async (_, x, y, z, wanted) => expect(await runsOf(x, y, z)).toEqual(wanted));

test("of joined requests one that is refused fails alone; what is no fault of a request meets all", async () => {
  const wrong = (code: string) => Object.assign(new Error("below 0"), { code });
  const answersOf = (code: string) => {
    const predictor = {
      inputs: [port("x", ["batch", 1])],
      outputs: [port("y", ["batch", 1])],
      run: async ({ x }: Record<string, OnnxTensor>) => {
        if ((x.data as Float64Array).some((value) => value < 0)) throw wrong(code);
        return { y: x };
      },
    } as unknown as OnnxPredictor;
    const model = new OnnxModel(predictor, false);
    return model.run(
      [[1, 2], [-3], [4]].map((data) =>
        model.fromTensors([tensorOfJson(headingOf({ name: "x", datatype: "FP64", shape: [data.length, 1] }, 0), data)]),
      ),
    );
  };
  const [first, second, third] = await answersOf("ONNX_RUN");
  expect([first, third].map((answer) => [...((answer as OnnxTensor[])[0].data as Float64Array)])).toEqual([[1, 2], [4]]);
  expect(second).toMatchObject({ code: "INPUT", message: "inputs: below 0 [INPUT]" });
  await expect(answersOf("BUSY")).rejects.toThrow("below 0");
});
