/** Inference by the Open Inference Protocol, in JSON and in binary. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Serving } from "../../src/index.ts";
import { largestOf } from "../../src/v2/classification.ts";
import type { Datatype, Elements } from "../../src/v2/datatypes.ts";
import { type Answer, classifier, get, margin, net, post, ratings, regression, serving, table } from "./models.ts";

type Models = Awaited<ReturnType<typeof all>>;
async function all() {
  const [line, species, sign, network, people, films] = await Promise.all([
    regression(),
    classifier(),
    margin(),
    net(),
    table(),
    ratings(),
  ]);
  return { line, species, sign, network, people, films };
}

let models: Models;
let server: Serving;
beforeAll(async () => {
  models = await all();
  server = await serving({ models });
});

const rows = [
  [0.5, -0.25, 1],
  [-1, 2, 0.125],
];
const flat = rows.flat();
const input = (more: object = {}) => ({ name: "input", datatype: "FP64", shape: [2, 3], data: flat, ...more });
const infer = (model: string, body: object, headers?: Record<string, string>): Promise<Answer> =>
  post(`${server.url}/v2/models/${model}/infer`, body, headers);
const expected = (model: "line" | "species" | "sign" | "network"): number[] => {
  const out = new Float64Array(2 * models[model].width);
  models[model].predictInto(Float64Array.from(flat), out);
  return [...out];
};

describe("JSON", () => {
  test("returns numbers with the id, the version and timings", async () => {
    const { status, json, headers } = await infer("line", { id: "é7", inputs: [input()] });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    const { parameters, ...rest } = json;
    expect(rest).toEqual({
      model_name: "line",
      model_version: "1",
      id: "é7",
      outputs: [{ name: "value", datatype: "FP64", shape: [2], data: expected("line") }],
    });
    expect(parameters).toEqual({ batch_rows: 2, queue_us: expect.any(Number), compute_us: expect.any(Number) });
    for (const value of Object.values(parameters)) expect(Number.isInteger(value)).toBe(true);
  });

  test("returns no id if none or null was given", async () => {
    expect((await infer("line", { inputs: [input()] })).json).not.toHaveProperty("id");
    expect((await infer("line", { id: null, inputs: [input()] })).json).not.toHaveProperty("id");
  });

  test("does not count brackets and quotes within a text as nesting", async () => {
    const id = '["{\\'.repeat(100);
    const { status, json } = await infer("line", { id, inputs: [input()] });
    expect([status, json.id]).toEqual([200, id]);
    const one = await infer("people", {
      inputs: [
        { name: "age", datatype: "FP64", shape: [1], data: [30] },
        { name: "city", datatype: "BYTES", shape: [1], data: [`Rome\\"${"[".repeat(100)}`] },
      ],
    });
    expect(one.status).toBe(200);
  });

  test("accepts nested data", async () => {
    const { json } = await infer("line", { inputs: [input({ data: rows })] });
    expect(json.outputs[0].data).toEqual(expected("line"));
  });

  test("returns probabilities and classes by name", async () => {
    const { json } = await infer("species", { inputs: [input()] });
    expect(json.outputs).toEqual([
      { name: "probabilities", datatype: "FP64", shape: [2, 3], data: expected("species") },
      { name: "class", datatype: "BYTES", shape: [2], data: models.species.predict(rows).map(({ value }) => value) },
    ]);
  });

  test("returns scores of a model that decides by sign", async () => {
    const { json } = await infer("sign", { inputs: [input()] });
    expect(json.outputs).toEqual([
      { name: "score", datatype: "FP64", shape: [2], data: expected("sign") },
      { name: "class", datatype: "BYTES", shape: [2], data: models.sign.predict(rows).map(({ value }) => value) },
    ]);
    expect(new Set(json.outputs[1].data).size).toBe(2);
  });

  test("returns FP32 for a network, with the digits it needs", async () => {
    const { json } = await infer("network", { inputs: [input({ datatype: "FP32" })] });
    expect(json.outputs[0].datatype).toBe("FP32");
    const wanted = Float32Array.from(expected("network"));
    expect(Float32Array.from(json.outputs[0].data)).toEqual(wanted);
    expect(JSON.stringify(json.outputs[0].data).length).toBeLessThan(6 * 13);
  });

  test("accepts columns of a table, numbers and texts", async () => {
    const inputs = [
      { name: "city", datatype: "BYTES", shape: [2, 1], data: ["Zürich", "Rome"] },
      { name: "age", datatype: "INT8", shape: [2], data: [70, 25] },
    ];
    const { json } = await infer("people", { inputs });
    const wanted = [models.people.predict({ age: 70, city: "Zürich" }), models.people.predict({ age: 25, city: "Rome" })];
    expect(json.outputs[1].data).toEqual(wanted.map(({ value }) => value));
    expect(json.outputs[0].data).toEqual(wanted.flatMap(({ probabilities }) => [probabilities?.no, probabilities?.yes]));
  });

  test("accepts pairs of a factorisation", async () => {
    const inputs = [
      { name: "user", datatype: "BYTES", shape: [2], data: ["anna", "nobody"] },
      { name: "item", datatype: "BYTES", shape: [2], data: ["ulysses", "dune"] },
    ];
    const { json } = await infer("films", { inputs });
    const wanted = [
      models.films.predict({ user: "anna", item: "ulysses" }).value,
      models.films.predict({ user: "nobody", item: "dune" }).value,
    ];
    expect(json.outputs).toEqual([{ name: "value", datatype: "FP64", shape: [2], data: wanted }]);
  });

  test("returns the requested outputs in their order", async () => {
    const { json } = await infer("species", { inputs: [input()], outputs: [{ name: "class" }] });
    expect(json.outputs.map(({ name }: { name: string }) => name)).toEqual(["class"]);
    const both = await infer("species", { inputs: [input()], outputs: [{ name: "class" }, { name: "probabilities" }] });
    expect(both.json.outputs.map(({ name }: { name: string }) => name)).toEqual(["class", "probabilities"]);
    // Some clients send an empty list.
    const all = await infer("species", { inputs: [input()], outputs: [] });
    expect(all.json.outputs.map(({ name }: { name: string }) => name)).toEqual(["probabilities", "class"]);
  });

  test("selects a version by its number", async () => {
    const { status } = await post(`${server.url}/v2/models/line/versions/1/infer`, { inputs: [input()] });
    expect(status).toBe(200);
    const unknown = await post(`${server.url}/v2/models/line/versions/2/infer`, { inputs: [input()] });
    expect(unknown.status).toBe(404);
    expect(unknown.json.error).toMatch(/version "2" of model "line": is not known; there is 1/);
  });

  test("rounds FP32 and FP16 as in binary", async () => {
    const inputs = (datatype: string) => [input({ datatype, shape: [1, 3], data: [0.1, 0.2, 0.3] })];
    const value = async (datatype: string): Promise<number> =>
      (await infer("line", { inputs: inputs(datatype) })).json.outputs[0].data[0];
    const at = (x: number[]): number => models.line.predict([x])[0].value as number;
    expect(await value("FP64")).toBe(at([0.1, 0.2, 0.3]));
    expect(await value("FP32")).toBe(at([0.1, 0.2, 0.3].map(Math.fround)));
    // 0.1, 0.2 and 0.3 with 11 bits: 1638/2^14, 1638/2^13 and 1229/2^12.
    expect(await value("FP16")).toBe(at([1638 / 2 ** 14, 1638 / 2 ** 13, 1229 / 2 ** 12]));
  });
});

describe("binary", () => {
  const binary = (inputs: object[], parts: Uint8Array[], more: object = {}): [Uint8Array, Record<string, string>] => {
    const json = Buffer.from(JSON.stringify({ inputs, ...more }));
    return [Buffer.concat([json, ...parts]), { "inference-header-content-length": String(json.length) }];
  };
  const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const whole = [3, 1, 2, 0, 5, 4];
  const send = async (model: string, [body, headers]: [Uint8Array, Record<string, string>]): Promise<Answer> =>
    post(`${server.url}/v2/models/${model}/infer`, body, { ...headers, "content-type": "application/octet-stream" });

  test.each([
    ["UINT8", Uint8Array.from(whole)],
    ["UINT16", Uint16Array.from(whole)],
    ["UINT32", Uint32Array.from(whole)],
    ["UINT64", BigUint64Array.from(whole.map(BigInt))],
    ["INT8", Int8Array.from(whole, (n) => -n)],
    ["INT16", Int16Array.from(whole, (n) => -n)],
    ["INT32", Int32Array.from(whole, (n) => -n)],
    ["INT64", BigInt64Array.from(whole.map((n) => BigInt(-n)))],
    ["FP16", Uint16Array.from([0x4200, 0x3c00, 0x4000, 0, 0x4500, 0x4400])],
    ["FP32", Float32Array.from(whole)],
    ["FP64", Float64Array.from(whole)],
    ["BOOL", Uint8Array.from([1, 0, 1, 0, 0, 1])],
  ])("converts %s to numbers", async (datatype, view) => {
    const parameters = { binary_data_size: view.byteLength };
    const { status, json } = await send(
      "line",
      binary([{ name: "input", datatype, shape: [2, 3], parameters }], [bytesOf(view)]),
    );
    expect(status).toBe(200);
    const numbers = datatype === "FP16" ? whole : Array.from(view as Uint8Array, Number);
    const out = new Float64Array(2);
    models.line.predictInto(Float64Array.from(numbers), out);
    expect(json.outputs[0].data).toEqual([...out]);
  });

  test("reads texts with a length before each, and numbers after them", async () => {
    const texts = ["Zürich", "Rome"].map((text) => Buffer.from(text));
    const city = Buffer.concat(texts.flatMap((text) => [Buffer.from(Uint32Array.of(text.length).buffer), text]));
    const age = bytesOf(Float32Array.of(70, 25));
    const inputs = [
      { name: "city", datatype: "BYTES", shape: [2], parameters: { binary_data_size: city.length } },
      { name: "age", datatype: "FP32", shape: [2], parameters: { binary_data_size: age.length } },
    ];
    const { json } = await send("people", binary(inputs, [city, age]));
    const again = await infer("people", {
      inputs: [
        { name: "age", datatype: "FP64", shape: [2], data: [70, 25] },
        { name: "city", datatype: "BYTES", shape: [2], data: ["Zürich", "Rome"] },
      ],
    });
    expect(json.outputs).toEqual(again.json.outputs);
  });

  test.each([1, 7, 2000, 3000])("returns numbers of %i rows unchanged, with the number of bytes", async (count) => {
    const values = Float64Array.from({ length: 3 * count }, (_, i) => Math.sin(1 + i));
    const inputs = [{ name: "input", datatype: "FP64", shape: [count, 3], parameters: { binary_data_size: values.byteLength } }];
    const more = { parameters: { binary_data_output: true } };
    const { headers, json, bytes } = await send("line", binary(inputs, [bytesOf(values)], more));
    const out = new Float64Array(count);
    models.line.predictInto(values, out);
    expect(json.outputs[0].parameters).toEqual({ binary_data_size: 8 * count });
    expect(Buffer.compare(bytes, bytesOf(out))).toBe(0);
    expect(Number(headers.get("content-length"))).toBe(Number(headers.get("inference-header-content-length")) + 8 * count);
  });

  test("returns all outputs or one of them in binary", async () => {
    const size = { binary_data_size: 48 };
    const inputs = [{ name: "input", datatype: "FP64", shape: [2, 3], parameters: size }];
    const part = [bytesOf(Float64Array.from(flat))];
    const classes = models.species.predict(rows).map(({ value }) => Buffer.from(value));
    const texts = Buffer.concat(classes.flatMap((text) => [Buffer.from(Uint32Array.of(text.length).buffer), text]));
    const everything = await send("species", binary(inputs, part, { parameters: { binary_data_output: true } }));
    expect(everything.headers.get("content-type")).toBe("application/octet-stream");
    expect(everything.json.outputs).toEqual([
      { name: "probabilities", datatype: "FP64", shape: [2, 3], parameters: { binary_data_size: 48 } },
      { name: "class", datatype: "BYTES", shape: [2], parameters: { binary_data_size: texts.length } },
    ]);
    expect(everything.bytes.subarray(48)).toEqual(texts);
    expect([...new Float64Array(new Uint8Array(everything.bytes.subarray(0, 48)).buffer)]).toEqual(expected("species"));

    const outputs = [{ name: "class" }, { name: "probabilities", parameters: { binary_data: true } }];
    const one = await send("species", binary(inputs, part, { outputs }));
    expect(one.json.outputs[0].data).toEqual(classes.map(String));
    expect(one.json.outputs[1].parameters).toEqual({ binary_data_size: 48 });
    expect(one.bytes.length).toBe(48);

    const listed = { parameters: { binary_data_output: true }, outputs: [{ name: "class" }] };
    const named = await send("species", binary(inputs, part, listed));
    expect(named.json.outputs[0].parameters).toEqual({ binary_data_size: texts.length });
    expect(named.bytes).toEqual(texts);

    const but = { parameters: { binary_data_output: true }, outputs: [{ name: "class", parameters: { binary_data: false } }] };
    const none = await send("species", binary(inputs, part, but));
    expect(none.headers.get("inference-header-content-length")).toBeNull();
    expect(none.bytes.length).toBe(0);
  });

  test("accepts a body that consists of one tensor", async () => {
    const body = bytesOf(Float64Array.from(flat));
    const { status, json, bytes } = await send("line", [body, { "inference-header-content-length": "0" }]);
    expect(status).toBe(200);
    expect(json.outputs).toEqual([{ name: "value", datatype: "FP64", shape: [2], parameters: { binary_data_size: 16 } }]);
    expect([...new Float64Array(new Uint8Array(bytes).buffer)]).toEqual(expected("line"));
    const part = await send("line", [body.subarray(0, 20), { "inference-header-content-length": "0" }]);
    expect(part.status).toBe(400);
    expect(part.json.error).toMatch(/20 bytes, but a row of FP64 takes 24/);
    const none = await send("line", [body.subarray(0, 0), { "inference-header-content-length": "0" }]);
    expect([none.status, none.json.error]).toEqual([400, expect.stringMatching(/has 0 bytes, but a row of FP64 takes 24/)]);
    const two = await send("people", [body, { "inference-header-content-length": "0" }]);
    expect(two.json.error).toMatch(/the model takes "age" \(FP64\), "city" \(BYTES\)/);
  });
});

describe("classification", () => {
  const asked = (parameters: object, name = "probabilities") => ({ inputs: [input()], outputs: [{ name, parameters }] });

  test("returns the largest entries of each row with their classes, in JSON and in binary", async () => {
    const { json } = await infer("species", asked({ classification: 2 }));
    const all = expected("species");
    const texts = [0, 1].flatMap((row) => {
      const own = all.slice(3 * row, 3 * row + 3);
      const order = [0, 1, 2].sort((a, b) => own[b] - own[a]);
      return order.slice(0, 2).map((k) => `${own[k]}:${k}:${models.species.classes![k]}`);
    });
    expect(json.outputs).toEqual([{ name: "probabilities", datatype: "BYTES", shape: [2, 2], data: texts }]);
    const binary = await infer("species", asked({ classification: 2, binary_data: true }));
    const bytes = Buffer.concat(
      texts.flatMap((text) => [Buffer.from(Uint32Array.of(Buffer.byteLength(text)).buffer), Buffer.from(text)]),
    );
    expect(binary.bytes).toEqual(bytes);
    // More classes than there are.
    expect((await infer("network", asked({ classification: 9 }))).json.outputs[0].shape).toEqual([2, 3]);
  });

  test("orders equal entries by index, puts NaN last, and reads 16-bit numbers", () => {
    const entries = (elements: Elements, datatype: Datatype) =>
      largestOf({ shape: [1, 2, 2], elements }, datatype, 4, undefined, String).elements;
    expect(entries(Float64Array.of(1, Number.NaN, 2, 1), "FP64")).toEqual(["2:2", "1:0", "1:3", "NaN:1"]);
    expect(entries(Uint16Array.of(0x3c00, 0x4000, 0xbc00, 0), "FP16")).toEqual(["2:1", "1:0", "0:3", "-1:2"]);
    expect(entries(BigInt64Array.of(1n, 3n, 2n, 0n), "INT64")).toEqual(["3:1", "2:2", "1:0", "0:3"]);
  });
});

describe("invalid requests, which are refused with 400", () => {
  const cases: [string, string, object | string, RegExp, Record<string, string>?][] = [
    ["no body", "line", "", /^infer: the body is empty; send a JSON object \[BODY\]$/],
    ["no JSON", "line", "{", /the body is not JSON/],
    ["a list", "line", [], /the body is a list of 0, but must be a JSON object/],
    ["no UTF-8", "line", Buffer.from([0x22, 0xff, 0x22]), /not UTF-8/],
    ["no inputs", "line", {}, /^inputs: is missing, but must be a list of tensors/],
    ...["sequence_id", "sequence_start", "sequence_end"].map((name): [string, string, object, RegExp] => [
      name,
      "line",
      { inputs: [input()], parameters: { [name]: name === "sequence_id" ? 7 : true } },
      new RegExp(`^parameters: ${name} is not supported, .*; leave it out \\[PARAMETER\\]$`),
    ]),
    [
      "a classification of the whole request",
      "species",
      { inputs: [input()], parameters: { classification: 2 } },
      /^parameters: classification belongs to an output; put it into outputs\[i\]\.parameters \[PARAMETER\]$/,
    ],
    [
      "a classification of class names",
      "species",
      { inputs: [input()], outputs: [{ name: "class", parameters: { classification: 2 } }] },
      /^outputs\[0\]\.parameters: classification needs one number per row and class, but "class" is of BYTES and shape \[any\]/,
    ],
    [
      "a classification of one number per row",
      "line",
      { inputs: [input()], outputs: [{ name: "value", parameters: { classification: 1 } }] },
      /classification needs one number per row and class, but "value" is of FP64/,
    ],
    [
      "no classes",
      "species",
      { inputs: [input()], outputs: [{ name: "probabilities", parameters: { classification: 0 } }] },
      /classification is 0, but must be a whole number of classes >= 1/,
    ],
    [
      "an output in shared memory",
      "line",
      { inputs: [input()], outputs: [{ name: "value", parameters: { shared_memory_region: "r" } }] },
      /^outputs\[0\]\.parameters: shared_memory_region is not supported; send and ask for tensors in the body/,
    ],
    [
      "an input in shared memory",
      "line",
      { inputs: [{ ...input({ data: undefined }), parameters: { shared_memory_region: "r" } }] },
      /^inputs\[0\]\.parameters: shared_memory_region is not supported/,
    ],
    [
      "an input short",
      "people",
      { inputs: [{ name: "age", datatype: "FP64", shape: [1], data: [1] }] },
      /"city" is missing; the model takes "age", "city"/,
    ],
    [
      "an unknown input",
      "line",
      { inputs: [input({ name: "x" })] },
      /^inputs\[0\]: "x" is not an input of the model, which takes "input"/,
    ],
    [
      "a column as a matrix of several",
      "people",
      {
        inputs: [
          { name: "age", datatype: "FP64", shape: [1, 2], data: [70, 25] },
          { name: "city", datatype: "BYTES", shape: [1], data: ["Rome"] },
        ],
      },
      /^inputs\[0\]: "age" has shape \[1, 2\], but the model takes \[any\]/,
    ],
    ["an input twice", "line", { inputs: [input(), input()] }, /^inputs\[1\]: "input" is given twice/],
    ["a number for an input", "line", { inputs: [3] }, /^inputs\[0\]: is 3, but must be an object/],
    ["no name", "line", { inputs: [input({ name: 3 })] }, /name is 3, but must be a text/],
    ["an unknown type", "line", { inputs: [input({ datatype: "FP8" })] }, /datatype is "FP8", but must be one of BOOL/],
    [
      "texts for numbers",
      "line",
      { inputs: [input({ datatype: "BYTES", data: ["a", "b", "c", "d", "e", "f"] })] },
      /is of BYTES, but the model takes a numeric type/,
    ],
    ["a shape of texts", "line", { inputs: [input({ shape: ["2", 3] })] }, /shape has "2", but must have whole numbers/],
    ["no shape", "line", { inputs: [input({ shape: [] })] }, /has shape \[\], but the model takes \[any, 3\]/],
    [
      "too many axes",
      "line",
      { inputs: [input({ shape: Array(33).fill(1) })] },
      /shape is a list of 33, but must be a list of at most 32/,
    ],
    ["a huge shape", "line", { inputs: [input({ shape: [2 ** 40, 2 ** 40] })] }, /more elements than a body can hold/],
    ["another width", "line", { inputs: [input({ shape: [3, 2] })] }, /has shape \[3, 2\], but the model takes \[any, 3\]/],
    ["another rank", "line", { inputs: [input({ shape: [6] })] }, /has shape \[6\], but the model takes \[any, 3\]/],
    ["too few elements", "line", { inputs: [input({ data: [1] })] }, /data has 1 elements, but shape \[2, 3\] needs 6/],
    [
      "uneven rows",
      "line",
      {
        inputs: [
          input({
            data: [
              [1, 2, 3],
              [4, 5],
            ],
          }),
        ],
      },
      /data\[1\] has 2 elements, but shape \[2, 3\] has 3 there/,
    ],
    ["a row that is none", "line", { inputs: [input({ data: [[1, 2, 3], 4] })] }, /data\[1\] is 4, but must be a list of 3/],
    [
      "a text for a number",
      "line",
      { inputs: [input({ data: [1, 2, "3", 4, 5, 6] })] },
      /data\[2\] is "3", but elements of FP64 are numbers/,
    ],
    [
      "a byte out of range",
      "line",
      { inputs: [input({ datatype: "UINT8", data: [1, 2, 256, 4, 5, 6] })] },
      /data\[2\] is 256, but elements of UINT8 are whole numbers from 0 to 255/,
    ],
    ["half a number", "line", { inputs: [input({ datatype: "INT32", data: [1, 2, 0.5, 4, 5, 6] })] }, /data\[2\] is 0.5/],
    [
      "what JSON has rounded",
      "line",
      { inputs: [input({ datatype: "INT64", data: [1, 2, 2 ** 53, 4, 5, 6] })] },
      /send larger ones in binary/,
    ],
    ["no rows", "line", { inputs: [input({ shape: [0, 3], data: [] })] }, /there are no rows/],
    ["a gap", "line", { inputs: [input({ data: [1, 2, null, 4, 5, 6] })] }, /NaN|missing/],
    [
      "more rows of one column",
      "people",
      {
        inputs: [
          { name: "age", datatype: "FP64", shape: [1], data: [1] },
          { name: "city", datatype: "BYTES", shape: [2], data: ["Rome", "Rome"] },
        ],
      },
      /"city" has 2 rows, but "age" has 1/,
    ],
    [
      "an unknown output",
      "line",
      { inputs: [input()], outputs: [{ name: "x" }] },
      /^outputs\[0\]: name is "x", but the model gives "value"/,
    ],
    [
      "an output twice",
      "line",
      { inputs: [input()], outputs: [{ name: "value" }, { name: "value" }] },
      /^outputs\[1\]: "value" is asked for twice/,
    ],
    ["outputs that are none", "line", { inputs: [input()], outputs: "value" }, /^outputs: is "value", but must be a list/],
    ["an id that is none", "line", { id: 7, inputs: [input()] }, /^id: is 7, but must be a text/],
    ["parameters that are none", "line", { parameters: 7, inputs: [input()] }, /^parameters: is 7, but must be an object/],
    [
      "a priority that is none",
      "line",
      { parameters: { priority: 10 }, inputs: [input()] },
      /priority is 10, but must be a whole number from 1, first, to 9/,
    ],
    [
      "a timeout that is none",
      "line",
      { parameters: { timeout: -1 }, inputs: [input()] },
      /timeout is -1, but must be a whole number of microseconds/,
    ],
    [
      "a flag that is none",
      "line",
      { parameters: { binary_data_output: 1 }, inputs: [input()] },
      /binary_data_output is 1, but must be true or false/,
    ],
    [
      "bytes without a length",
      "line",
      { inputs: [input({ data: undefined, parameters: { binary_data_size: 48 } })] },
      /binary_data_size is 48, but only 0 bytes/,
    ],
    [
      "a length beyond the body",
      "line",
      { inputs: [input()] },
      /Inference-Header-Content-Length: is "9999"/,
      { "inference-header-content-length": "9999" },
    ],
    [
      "a length that is none",
      "line",
      { inputs: [input()] },
      /Inference-Header-Content-Length: is "-1"/,
      { "inference-header-content-length": "-1" },
    ],
    ["deep JSON", "line", "[".repeat(100_000), /nested more than 40 deep/],
  ];
  test.each(cases)("%s", async (_, model, body, said, headers) => {
    const { status, json } = await infer(model, body as object, headers);
    expect(json).toEqual({ error: expect.stringMatching(said) });
    expect(status).toBe(400);
  });

  test("refuses surplus and missing bytes", async () => {
    const json = (inputs: object[]): Buffer => Buffer.from(JSON.stringify({ inputs }));
    const send = (inputs: object[], rest: number[], model = "line"): Promise<Answer> => {
      const header = json(inputs);
      const headers = { "inference-header-content-length": String(header.length) };
      return post(`${server.url}/v2/models/${model}/infer`, Buffer.concat([header, Buffer.from(rest)]), headers);
    };
    expect((await send([input()], [1, 2])).json.error).toMatch(/2 bytes after the JSON belong to no input/);
    const short = input({ data: undefined, datatype: "INT8", parameters: { binary_data_size: 5 } });
    expect((await send([short], [1, 2, 3, 4, 5])).json.error).toMatch(/has 5 bytes, but INT8 of shape \[2, 3\] takes 6/);
    const twice = input({ datatype: "INT8", parameters: { binary_data_size: 6 } });
    expect((await send([twice], [1, 2, 3, 4, 5, 6])).json.error).toMatch(/has data and binary_data_size/);
    const bool = input({ data: undefined, datatype: "BOOL", parameters: { binary_data_size: 6 } });
    expect((await send([bool], [1, 0, 2, 0, 0, 0])).json.error).toMatch(/byte 2 is 2, but elements of BOOL are 0 or 1/);

    const texts = (bytes: number[], count = 1) => {
      const city = { name: "city", datatype: "BYTES", shape: [count], parameters: { binary_data_size: bytes.length } };
      return send([city, { name: "age", datatype: "FP64", shape: [count], data: Array(count).fill(30) }], bytes, "people");
    };
    expect((await texts([9, 0, 0, 0, 65])).json.error).toMatch(/its bytes end inside element 0/);
    expect((await texts([1, 0, 0])).json.error).toMatch(/its bytes end inside element 0/);
    expect((await texts([1, 0, 0, 0, 65], 2)).json.error).toMatch(/its bytes hold 1 elements, but its shape needs 2/);
    expect((await texts([1, 0, 0, 0, 65, 0, 0, 0, 0])).json.error).toMatch(/bytes left after its 1 elements/);
    expect((await texts([1, 0, 0, 0, 255])).json.error).toMatch(/element 0 is not valid UTF-8/);
    expect((await texts([255, 255, 255, 255])).json.error).toMatch(/its bytes end inside element 0/);
  });

  test("answers 404 for an unknown model or route", async () => {
    const unknown = await infer("lines", { inputs: [input()] });
    expect(unknown.status).toBe(404);
    expect(unknown.json.error).toMatch(
      /^model "lines": is not known; there is films, line, network, people, sign, species \[NOT_FOUND\]$/,
    );
    const route = await get(`${server.url}/v1/models/line`);
    expect(route.status).toBe(404);
    expect(route.json.error).toMatch(/^GET \/v1\/models\/line: is not a route of this server/);
  });
});

test("fails only the request with a bad row, and not others of its batch", async () => {
  const row = (city: string, age: unknown = 30) => ({
    inputs: [
      { name: "age", datatype: "FP64", shape: [1], data: [age] },
      { name: "city", datatype: "BYTES", shape: [1], data: [city] },
    ],
  });
  const answers = await Promise.all([row("Rome"), row("Rome", null), row("Zürich")].map((body) => infer("people", body)));
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 200]);
});
