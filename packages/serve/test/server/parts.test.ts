/** Separate parts of the protocol: 16-bit numbers, requests computed together, many rows, and binary answers. */
import { stream } from "ergodic";
import { expect, test } from "vitest";
import { servedPredictor } from "../../src/models/of-file.ts";
import { OnnxModel } from "../../src/models/onnx-model.ts";
import { PairModel } from "../../src/models/pair-model.ts";
import type { Served } from "../../src/models/served.ts";
import type { OnnxPredictor, OnnxTensor } from "../../src/onnx/index.ts";
import { ModelVersion } from "../../src/repository/model-version.ts";
import { fromHalf } from "../../src/v2/datatypes.ts";
import { toHalf } from "../../src/v2/half.ts";
import { readInfer } from "../../src/v2/infer-request.ts";
import { namesOfModel, writeInfer } from "../../src/v2/infer-response.ts";
import type { InputTensor } from "../../src/v2/input-tensor.ts";
import { classifier, net, ratings, regression, table } from "./models.ts";

const served = async (model: PromiseLike<Parameters<typeof servedPredictor>[0]>) =>
  servedPredictor(await model, { owned: false });
const tensor = (rows: number[][], binary = false): Buffer => {
  const shape = { name: "input", datatype: "FP64", shape: [rows.length, 3] };
  const data = Buffer.from(Float64Array.from(rows.flat()).buffer);
  const own = binary ? { parameters: { binary_data_size: data.length } } : { data: rows.flat() };
  return Buffer.concat([Buffer.from(JSON.stringify({ inputs: [{ ...shape, ...own }] })), binary ? data : Buffer.alloc(0)]);
};
const lengthOf = (body: Buffer): string => String(body.indexOf("}]}") + 3);

test("FP16 values survive a round trip, and other numbers round to the nearest, ties to even", () => {
  const changed = Array.from({ length: 65_536 }, (_, bits) => bits).filter((bits) => {
    const value = fromHalf(bits);
    return Number.isNaN(value) ? (toHalf(value) & 0x7c00) !== 0x7c00 : toHalf(value) !== bits;
  });
  expect(changed).toEqual([]);
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [fromHalf(bits), fromHalf(bits + 1)];
    const middle = (low + high) / 2;
    const step = high - low;
    const found = [middle - step / 8, middle, middle + step / 8].map(toHalf);
    const wanted = [bits, bits % 2 === 0 ? bits : bits + 1, bits + 1];
    if (found.some((one, k) => one !== wanted[k])) expect([bits, ...found]).toEqual([bits, ...wanted]);
  }
  expect([65_519, 65_520, -65_520, Infinity, -0].map(toHalf)).toEqual([0x7bff, 0x7c00, 0xfc00, 0x7c00, 0x8000]);
});

test("requests of a batch get their own answers, and a wrong one gets its own error", async () => {
  const model = await served(regression());
  const given = [
    [[1, 2, 3]],
    [
      [4, 5, 6],
      [7, 8, 9],
    ],
    [[-1, 0, 1]],
  ];
  const works = given.flatMap((rows) =>
    [false, true].map((binary) => {
      const body = tensor(rows, binary);
      return readInfer(body, binary ? lengthOf(body) : undefined, model).work;
    }),
  );
  const named = model.fromRows!([{ a: 4, b: 5, c: 6 }]);
  const bad = readInfer(
    Buffer.from(
      tensor([[1, 2, 3]])
        .toString()
        .replace("[1,2,3]", "[1,null,3]"),
    ),
    undefined,
    model,
  ).work;
  const line = await regression();
  const wanted = given.flatMap((rows) => [rows, rows]).map((rows) => line.predict(rows).map(({ value }) => value));
  const plain = await model.run(works);
  expect(plain.map((answer) => [...(answer as Float64Array)])).toEqual(wanted);
  const mixed = await model.run([...works, named, bad]);
  expect(mixed.slice(0, -2).map((answer) => [...(answer as Float64Array)])).toEqual(wanted);
  expect([...(mixed.at(-2) as Float64Array)]).toEqual([line.predict({ a: 4, b: 5, c: 6 }).value]);
  expect(mixed.at(-1)).toBeInstanceOf(Error);
  const people = await served(table());
  const some = await people.run(
    [[{ age: 30, city: "Rome" }], [{ age: "old", city: "Rome" }]].map((rows) => people.fromRows!(rows)),
  );
  expect(some.map((answer) => answer instanceof Error)).toEqual([false, true]);
});

test("more rows than one slice are computed, as a matrix and by name", async () => {
  const line = await regression();
  const model = servedPredictor(line, { owned: false });
  const rows = Array.from({ length: 2500 }, (_, i) => [i, -i, i % 3]);
  const wanted = line.predict(rows).map(({ value }) => value);
  const named = rows.map(([a, b, c]) => ({ a, b, c }));
  for (const work of [readInfer(tensor(rows), undefined, model).work, model.fromRows!(named)]) {
    const [answer] = await model.run([work]);
    expect([...(answer as Float64Array)]).toEqual(wanted);
  }
});

test("a large request is computed in parts with the same answers, and a fault names its row", async () => {
  const ask = (model: Served, work: unknown) => {
    const version = new ModelVersion("m", "1", model, { maxRows: 64 });
    return version.answer(work, { priority: undefined, deadlineMs: undefined }, { socket: null } as never);
  };
  const rows = Array.from({ length: 500 }, (_, i) => [i, -i, i % 3]);
  const people = Array.from({ length: 500 }, (_, i) => ({ age: i, city: i % 2 ? "Rome" : "Zürich" }));
  const columns = [
    { name: "age", datatype: "FP64", shape: [500], data: people.map(({ age }) => age) },
    { name: "city", datatype: "BYTES", shape: [500], data: people.map(({ city }) => city) },
  ];
  const pairs = Array.from({ length: 500 }, (_, i) => ({
    user: ["anna", "ben"][i % 2],
    item: ["emma", "dune"][i % 3 > 0 ? 1 : 0],
  }));
  const [line, three, town, films] = [
    await served(regression()),
    await served(net()),
    await served(table()),
    new PairModel(await ratings()) as Served,
  ];
  const body = tensor(rows, true);
  for (const [model, work] of [
    [line, readInfer(tensor(rows), undefined, line).work],
    [line, readInfer(body, lengthOf(body), line).work],
    [three, three.fromRows!(rows.map(([a, b, c]) => ({ a, b, c })))],
    [town, readInfer(Buffer.from(JSON.stringify({ inputs: columns })), undefined, town).work],
    [films, films.fromRows!(pairs)],
  ] as const) {
    const [whole] = await model.run([work]);
    const { answer, batchRows } = await ask(model, work);
    expect([answer, batchRows]).toEqual([whole, 64]);
  }
  const bad = rows.map(([a, b, c], i) => ({ a, b: i === 400 ? "x" : b, c }));
  await expect(ask(line, line.fromRows!(bad))).rejects.toThrow(/row 401: /);
});

test("the rows of foreign models are split only if a check found them independent", async () => {
  const port = (name: string) => ({ name, type: "float32" as const, shape: ["n", 2] });
  const predictor = {
    inputs: [port("x")],
    outputs: [port("y")],
    run: async ({ x }: { x: OnnxTensor }) => ({ y: { ...x, data: (x.data as Float32Array).map((v) => 2 * v) } }),
  } as unknown as OnnxPredictor;
  const data = Float32Array.from({ length: 20 }, (_, i) => i);
  for (const [joining, sizes] of [
    [{ joins: true, because: "checked" }, 4],
    [{ joins: true, because: "option", isUnchecked: true }, 10],
    [{ joins: false, because: "mixes" }, 1],
  ] as const) {
    const model = new OnnxModel(predictor, joining, { owned: false }) as unknown as Served;
    const input = { name: "x", datatype: "FP32", shape: [10, 2], count: 20, elements: () => data } as unknown as InputTensor;
    const version = new ModelVersion("m", "1", model, { maxRows: 4 });
    const plain = { priority: undefined, deadlineMs: undefined };
    const { answer, batchRows } = await version.answer(model.fromTensors([input]), plain, { socket: null } as never);
    expect(batchRows).toBe(sizes);
    expect(model.output(answer, 0)).toEqual({ shape: [10, 2], elements: data.map((v) => 2 * v) });
  }
});

test("priority, deadline and id are passed on unchanged", async () => {
  const model = await served(regression());
  const read = (more: object) =>
    readInfer(Buffer.from(JSON.stringify({ ...JSON.parse(tensor([[1, 2, 3]]).toString()), ...more })), undefined, model);
  expect(read({ parameters: { priority: 9, timeout: 2500 } })).toMatchObject({ priority: 9, deadlineMs: 2.5 });
  expect(read({ parameters: { priority: 0, timeout: 0 } })).toMatchObject({ priority: undefined, deadlineMs: undefined });
  expect(read({ id: "a" }).id).toBe("a");
});

test("a binary answer begins after the bytes of its JSON", async () => {
  const model = await served(classifier());
  const [answer] = await model.run([readInfer(tensor([[1, 2, 3]]), undefined, model).work]);
  const answered = { answer, batchRows: 1, batchRequests: 1, queueUs: 0.4, computeUs: 1.6 };
  const { body, headerLength } = writeInfer(
    namesOfModel("Zürich", "1", model),
    model,
    "日本",
    [{ index: 0, binary: true }],
    answered,
  );
  const json = JSON.parse(body.subarray(0, headerLength).toString());
  expect(json).toMatchObject({ model_name: "Zürich", id: "日本", parameters: { batch_rows: 1, queue_us: 0, compute_us: 2 } });
  expect(new Float64Array(new Uint8Array(body.subarray(headerLength)).buffer)).toEqual(answer);
});

test("FP32 in JSON has the fewest digits that identify the value", async () => {
  const model = await served(net());
  const values = Float64Array.from(
    [0.1, 1 / 3, 16_777_216, 1e-40, 0.30000001192092896, 123_456.789, -0, 3.4028234663852886e38, 2 ** -149].map(Math.fround),
  );
  const answered = { answer: values, batchRows: 3, batchRequests: 1, queueUs: 0, computeUs: 0 };
  const { body } = writeInfer(namesOfModel("n", "1", model), model, undefined, [{ index: 0, binary: false }], answered);
  const [{ data }] = JSON.parse(body.toString()).outputs;
  expect(data.map(Math.fround).map((value: number) => value + 0)).toEqual([...values].map((value) => value + 0));
  expect(data[0]).toBe(0.1);
  const none = writeInfer(namesOfModel("n", "1", model), model, undefined, [{ index: 0, binary: false }], {
    ...answered,
    answer: Float64Array.of(Number.NaN, Infinity, 1),
  });
  expect(JSON.parse(none.body.toString()).outputs[0].data).toEqual([null, null, 1]);
});

test("FP32 in JSON has the fewest identifying digits for random numbers", async () => {
  const u = stream(1, "digits").at(0);
  const bits = Uint32Array.from({ length: 2000 }, () => ((1 + u.integer(254)) << 23) | u.integer(2 ** 23));
  const values = Float64Array.from(new Float32Array(bits.buffer));
  const wanted = Array.from(values, (value) => {
    const texts = Array.from({ length: 9 }, (_, k) => value.toPrecision(k + 1));
    return Number(texts.find((text) => Math.fround(Number(text)) === value));
  });
  const model = await served(net());
  const answered = { answer: values, batchRows: 1, batchRequests: 1, queueUs: 0, computeUs: 0 };
  const { body } = writeInfer(namesOfModel("n", "1", model), model, undefined, [{ index: 0, binary: false }], answered);
  expect(JSON.parse(body.toString()).outputs[0].data).toEqual(wanted);
});

test("elements of every type are written as JSON", () => {
  const all = {
    BOOL: [Uint8Array.of(1, 0), "[true,false]"],
    FP16: [Uint16Array.of(0x3c00, 0xb800), "[1,-0.5]"],
    INT8: [Int8Array.of(-128, 127), "[-128,127]"],
    UINT32: [Uint32Array.of(2 ** 32 - 1), "[4294967295]"],
    INT64: [BigInt64Array.of(-(2n ** 63n)), "[-9223372036854775808]"],
    UINT64: [BigUint64Array.of(2n ** 64n - 1n), "[18446744073709551615]"],
    BYTES: [['"é'], '["\\"é"]'],
  } as const;
  const outputs = Object.keys(all).map((name) => ({ name, datatype: name, shape: [-1] }));
  const model = {
    outputs,
    output: (_: unknown, i: number) => ({ shape: [1], elements: Object.values(all)[i][0] }),
  } as unknown as Served;
  const answered = { answer: 0, batchRows: 1, batchRequests: 1, queueUs: 0, computeUs: 0 };
  const wanted = outputs.map((_, index) => ({ index, binary: false }));
  const text = writeInfer(namesOfModel("n", "1", model), model, undefined, wanted, answered).body.toString();
  expect([...text.matchAll(/"data":(\[.*?\])\}/g)].map(([, data]) => data)).toEqual(Object.values(all).map(([, data]) => data));
});

test("a repeated header is parsed once, whatever the tensor bytes, and any changed byte or length is parsed again", async () => {
  const model = await served(regression());
  const wanted = await regression();
  const value = (body: Buffer): number => {
    const { work } = readInfer(body, lengthOf(body), model);
    return (model.run([work]) as Float64Array[])[0][0];
  };
  const rows = [
    [1, 2, 3],
    [-4, 5, 0.5],
    [7, 0, -1],
  ];
  for (const row of [...rows, ...rows]) expect(value(tensor([row], true))).toBe(wanted.predict([row])[0].value);
  const body = tensor([rows[0]], true);
  const length = lengthOf(body);
  expect(readInfer(body, length, model).outputs).toBe(readInfer(tensor([rows[1]], true), length, model).outputs);
  // The same number of JSON bytes with other contents.
  const text = body.subarray(0, Number(length)).toString();
  const other = Buffer.concat([Buffer.from(text.replace('"input"', '"imput"')), body.subarray(Number(length))]);
  expect(() => readInfer(other, length, model)).toThrow(/"imput" is not an input/);
  expect(() => readInfer(body.subarray(0, -1), length, model)).toThrow(/only 23 bytes of the body are left/);
  expect(() => readInfer(Buffer.concat([body, Buffer.alloc(1)]), length, model)).toThrow(/1 bytes after the JSON belong to no/);
  expect(value(body)).toBe(wanted.predict([rows[0]])[0].value);
  // A header for another model.
  const three = await served(table());
  expect(() => readInfer(body, length, three)).toThrow(/"input" is not an input/);
});

test("FP32 numbers reach the model without conversion, in batches and alone", async () => {
  const model = await served(net());
  const rows = [
    [0.5, -1, 0.25],
    [3, 2, 1],
  ];
  const single = (row: number[]): Buffer => {
    const shape = { name: "input", datatype: "FP32", shape: [1, 3], parameters: { binary_data_size: 12 } };
    return Buffer.concat([Buffer.from(JSON.stringify({ inputs: [shape] })), Buffer.from(Float32Array.from(row).buffer)]);
  };
  const singles = rows.map((row) => readInfer(single(row), lengthOf(single(row)), model).work);
  const doubles = rows.map((row) => readInfer(tensor([row], true), lengthOf(tensor([row], true)), model).work);
  const wanted = model.run(doubles);
  for (const works of [singles, [singles[0], doubles[1]], [doubles[0], singles[1]]]) expect(model.run(works)).toEqual(wanted);
  expect([model.run([singles[1]])].flat()).toEqual([(wanted as unknown[])[1]]);
});
