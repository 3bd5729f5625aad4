/** `like`: every reader of datasets reads a test file as the training file was read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Dataset, fit, linear } from "ergodic";
import { describe, expect, it, onTestFinished } from "vitest";
import { read, readCsv, readJsonLines, readLibsvm, readNpy, readTable } from "../src/index.ts";
import { plainPng } from "./image-bytes.ts";

const csv = (name: string, content: string) => ({ name, content });
const train = csv(
  "train.csv",
  "age,zip,work,w,pay\n39,10115,clerk,1,10\n50,20095,,2,20\n31,10115,smith,1,30\n28,80331,clerk,1,15\n",
);
// Zip codes alone look like numbers, "baker" is new, ages are missing, and columns have another order.
const test = csv("test.csv", "pay,work,zip,age,w\n12,baker,10115,,1\n33,smith,20095,60,3\n");
const options = { target: "pay", weights: "w", impute: "mean", types: { zip: "category" } } as const;

const rowsOf = (data: Dataset): number[][] => Array.from({ length: data.rowCount }, (_, i) => [...data.row(i)]);

describe("a table read like another", () => {
  it("has the other's columns, levels, means and weights, and its own target", async () => {
    const like = await readCsv(train, options);
    const made = await readCsv(test, { like });
    expect(made.names).toEqual(like.names);
    expect([...made.target.values]).toEqual([12, 33]);
    expect([...made.weights!]).toEqual([1, 3]);
    const row = (i: number): Record<string, number> => Object.fromEntries(made.names.map((name, j) => [name, made.row(i)[j]]));
    expect(row(0)).toEqual({ age: 37, "zip=10115": 1, "zip=20095": 0, "zip=80331": 0, "work=clerk": 0, "work=smith": 0 });
    expect(row(1)).toEqual({ age: 60, "zip=10115": 0, "zip=20095": 1, "zip=80331": 0, "work=clerk": 0, "work=smith": 1 });
    const byHand = like.pipeline.apply(await readTable(test, { types: { zip: "category", work: "category" } }), { target: true });
    expect(rowsOf(made)).toEqual(rowsOf(byHand));
  });

  it("can evaluate a model trained on the other, and the model can replace the other", async () => {
    const like = await readCsv(train, options);
    const model = await fit(linear(), like, { algorithm: "auto" });
    const measured = model.evaluate(await readCsv(test, { like }));
    expect(Number.isFinite(measured.rmse)).toBe(true);
    expect(model.evaluate(await readCsv(test, { like: model }))).toEqual(measured);
    expect(rowsOf(await read(test, { like }))).toEqual(rowsOf(await readCsv(test, { like })));
  });

  it("can have another format and another separator", async () => {
    const like = await readCsv(train, options);
    const lines =
      '{"pay":12,"work":"baker","zip":"10115","age":null,"w":1}\n{"pay":33,"work":"smith","zip":"20095","age":60,"w":3}\n';
    const wanted = rowsOf(await readCsv(test, { like }));
    expect(rowsOf(await readJsonLines(csv("test.jsonl", lines), { like }))).toEqual(wanted);
    const semicolons = csv("test.csv", test.content.replaceAll(",", ";"));
    expect(rowsOf(await readCsv(semicolons, { like, delimiter: ";" }))).toEqual(wanted);
  });
});

it("gives sparse lines the columns of the other", async () => {
  const like = await readLibsvm(csv("a.libsvm", "1 1:2 7:1\n0 3:1\n"), { classes: true });
  const made = await readLibsvm(csv("b.libsvm", "0 1:5\n"), { like });
  expect(made.columnCount).toBe(7);
  expect(made.target.levels).toEqual(["0", "1"]);
  expect([...made.row(0)]).toEqual([5, 0, 0, 0, 0, 0, 0]);
});

it("preserves the target column of arrays", async () => {
  const like = await readNpy(array("a.npy", [1, 2, 3, 4, 5, 7], 3), { target: -1 });
  const made = await readNpy(array("b.npy", [7, 8, 9], 3), { like });
  expect([rowsOf(made), [...made.target.values]]).toEqual([[[7, 8]], [9]]);
});

it("gives arrays with labels the classes of the other", async () => {
  const idx = (shape: number[], values: number[]) =>
    Uint8Array.of(0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, 0, size]), ...values);
  const like = await read(idx([3, 2], [1, 2, 3, 4, 5, 6]), { labels: idx([3], [7, 9, 7]) });
  const made = await read(idx([2, 2], [10, 11, 12, 13]), { like, labels: idx([2], [9, 7]) });
  expect([rowsOf(made), [...made.target.values], made.target.levels]).toEqual([
    [
      [10, 11],
      [12, 13],
    ],
    [1, 0],
    ["7", "9"],
  ]);
});

it("finds optional labels next to the file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-like-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const put = (name: string, values: number[], columns: number): string => {
    writeFileSync(join(folder, name), array(name, values, columns).content);
    return join(folder, name);
  };
  put("y_train.npy", [7, 9, 7], 1);
  put("y_test.npy", [9, 7], 1);
  const like = await read(put("x_train.npy", [1, 2, 3], 1));
  const made = await read(put("x_test.npy", [5, 6], 1), { like });
  expect([rowsOf(made), [...made.target.values]]).toEqual([
    [[5], [6]],
    [9, 7],
  ]);
  const other = await read(join(folder, "x_test.npy"), { like, labels: put("other.npy", [1, 2], 1) });
  expect([...other.target.values]).toEqual([1, 2]);
});

it("resizes a folder of images like the other, and requires that the other has images", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-like-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const put = (name: string, picture: Uint8Array): void => {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), picture);
  };
  const grey = plainPng([[10, 20, 30]], 1);
  const colour = plainPng([[1, 2, 3, 4, 5, 6]], 3);
  for (const [set, first, second] of [
    ["colour", colour, colour],
    ["grey", plainPng([[1, 2]], 1), plainPng([[3, 4]], 1)],
    ["new", grey, grey],
  ] as const) {
    put(`${set}/a/1.png`, first);
    put(`${set}/b/2.png`, second);
  }
  const asColour = await read(join(folder, "new"), { like: await read(join(folder, "colour")) });
  expect([asColour.rowShape, rowsOf(asColour)[0], [...asColour.target.values]]).toEqual([
    [1, 2, 3],
    [13, 13, 13, 27, 27, 27],
    [0, 1],
  ]);
  const asGrey = await read(join(folder, "new"), { like: await read(join(folder, "grey")) });
  expect([asGrey.rowShape, rowsOf(asGrey)[1]]).toEqual([
    [1, 2, 1],
    [13, 27],
  ]);
  await expect(read(join(folder, "new"), { like: await readCsv(train, options) })).rejects.toThrow(
    `read: ${join(folder, "new")} is a folder of images, but the model was not trained on images; name a file [OPTION_CONFLICT]`,
  );
});

it.each<[string, string, object, RegExp]>([
  [
    "a target beside it",
    test.content,
    { target: "pay" },
    /^readCsv: both like and target were given, but like brings its own target; leave/,
  ],
  ["imputing beside it", test.content, { impute: "mode" }, /both like and impute were given/],
  ["an option unknown", test.content, { shape: 1 }, /shape/],
  ["a file without one of the columns", "pay,work,zip\n1,smith,10115\n", {}, /age/],
  ["a file without the target", "age,work,zip,w\n1,smith,10115,1\n", {}, /pay/],
  ["text where numbers were", test.content.replace(",60,", ",old,"), {}, /age/],
])("refuses %s", async (_, content, more, message) => {
  const like = await readCsv(train, options);
  await expect(readCsv(csv("test.csv", content), { like, ...more } as never)).rejects.toThrow(message);
});

it.each([undefined, null, {}, "train.csv", 3, Dataset])("refuses %s as the value of like", async (like) => {
  await expect(readCsv(test, { like } as never)).rejects.toThrow(
    /^readCsv: like must be a dataset, or a model.*\[OPTION_TYPE\]$/,
  );
});

function array(name: string, values: number[], columns: number) {
  const head = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length / columns}, ${columns}), }`;
  const header = Buffer.from(`\x93NUMPY\x01\x00..${head.padEnd(117)}\n`, "latin1");
  header.writeUInt16LE(118, 8);
  return { name, content: new Uint8Array([...header, ...new Uint8Array(Float64Array.from(values).buffer)]) };
}
