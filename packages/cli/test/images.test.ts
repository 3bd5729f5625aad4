/**
 * Arrays and images as DATA: the digits as a table with a shape, as IDX files, as .npy arrays and as folders of PNG
 * files.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LinearPredictor, predictor } from "ergodic";
import { beforeAll, describe, expect, it } from "vitest";
import { plainPng } from "../../ingest/test/image-bytes.ts";
import { digits, ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const count = 300;
const rows = readFileSync(digits, "utf8")
  .trimEnd()
  .split("\n")
  .slice(1, count + 1)
  .map((line) => line.split(",").map(Number));
const pixels = rows.map((row) => row.slice(0, 64));
const labels = rows.map((row) => row[64]);

function idx(shape: number[], values: number[]): Uint8Array {
  return Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, size >> 8, size & 255]), ...values]);
}

function npy(shape: number[], values: number[]): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")},), }\n`;
  return Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0, ...Buffer.from(header), ...values]);
}

function imageFolder(path: string, chosen: readonly number[], classes = true): string {
  for (const i of chosen) {
    const inside = classes ? join(path, `digit ${labels[i]}`) : path;
    mkdirSync(inside, { recursive: true });
    const grey = pixels[i].map((value) => Math.min(255, 16 * value));
    const lines = numbers(8).map((y) => grey.slice(8 * y, 8 * y + 8));
    writeFileSync(join(inside, `${String(i).padStart(4, "0")}.png`), plainPng(lines, 1));
  }
  return path;
}

const numbers = (to: number, from = 0) => Array.from({ length: to - from }, (_, i) => from + i);
const accuracy = (stdout: string): number => JSON.parse(stdout).metrics.accuracy;
const quick = ["--quiet", "--epochs", "10", "--rule", "adam", "--batch", "16"];

beforeAll(() => {
  writeFileSync(file("train-images-idx3-ubyte"), idx([200, 8, 8], pixels.slice(0, 200).flat()));
  writeFileSync(file("train-labels-idx1-ubyte"), idx([200], labels.slice(0, 200)));
  writeFileSync(file("t10k-images-idx3-ubyte"), idx([100, 8, 8], pixels.slice(200).flat()));
  writeFileSync(file("t10k-labels-idx1-ubyte"), idx([100], labels.slice(200)));
  writeFileSync(file("classes.idx"), idx([200], labels.slice(0, 200)));
  writeFileSync(file("x_train.npy"), npy([200, 8, 8], pixels.slice(0, 200).flat()));
  writeFileSync(file("y_train.npy"), npy([200], labels.slice(0, 200)));
});

describe("IDX", () => {
  it("trains on images and the labels next to them, tests on others and predicts without labels", async () => {
    const out = file("idx.safetensors");
    const [train, test] = [file("train-images-idx3-ubyte"), file("t10k-images-idx3-ubyte")];
    const { stdout } = await works("train", train, "--test", test, "--out", out, "--json", ...quick);
    const trained = JSON.parse(stdout);
    expect([trained.rows, trained.columnCount, trained.chosen.task]).toEqual([
      { train: 200, validate: 0, test: 100 },
      64,
      "multiclass",
    ]);
    expect(trained.test.accuracy).toBeGreaterThan(0.7);
    expect((await predictor<LinearPredictor>(out)).pipeline.shape.rowShape).toEqual([8, 8, 1]);
    expect(accuracy((await works("evaluate", out, test, "--json")).stdout)).toBe(trained.test.accuracy);
    await works("train", train, "--from", out, ...quick);
    const predicted = (await works("predict", out, test)).stdout.trimEnd().split("\n");
    expect(predicted).toHaveLength(101);
    expect(predicted.slice(1).filter((line, i) => Number(line.split(",")[0]) === labels[200 + i]).length / 100).toBe(
      trained.test.accuracy,
    );
  });

  it("reads labels from --labels for training, but not for the test", async () => {
    const [train, named, test] = [file("train-images-idx3-ubyte"), file("classes.idx"), file("t10k-images-idx3-ubyte")];
    const run = (...labelled: string[]) => works("train", train, ...labelled, "--test", test, "--json", ...quick);
    const rest = ({ stdout }: { stdout: string }) => JSON.parse(stdout).test;
    expect(rest(await run("--labels", named))).toEqual(rest(await run()));
    const out = file("named.safetensors");
    await works("train", train, "--labels", named, "--out", out, ...quick);
    const { code, stderr } = await ergodic("evaluate", out, test, "--labels", named);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/labels have the shape \(200\), but .* 100 rows/)]);
    expect(accuracy((await works("evaluate", out, train, "--labels", named, "--json")).stdout)).toBeGreaterThan(0.9);
  });
});

it("trains on NumPy arrays of three dimensions, with labels next to them", async () => {
  const out = file("npy.safetensors");
  const { stderr } = await works("train", file("x_train.npy"), "--classes", "--out", out, ...quick.slice(1));
  expect(stderr).toMatch(/200 rows to train on; 64 columns \(8 × 8 × 1\); target y\n/);
  const idxRows = await works("evaluate", out, file("train-images-idx3-ubyte"), "--json");
  expect(accuracy(idxRows.stdout)).toBeGreaterThan(0.9);
  expect((await works("predict", out, file("x_train.npy"))).stdout.split("\n")).toHaveLength(202);
  await works("train", file("x_train.npy"), "--from", out, ...quick);
});

describe("folders of images", () => {
  let made: string[] | undefined;
  /** Folders of rows to train on and to test with. */
  const folders = (): string[] =>
    (made ??= [imageFolder(file("train"), numbers(200)), imageFolder(file("test"), numbers(count, 200))]);

  it("trains on one folder per class, and tests and predicts on other folders", async () => {
    const [train, test] = folders();
    const out = file("folders.safetensors");
    const { stdout } = await works("train", train, "--test", test, "--out", out, "--json", ...quick);
    const trained = JSON.parse(stdout);
    expect(trained.test.accuracy).toBeGreaterThan(0.7);
    expect(accuracy((await works("evaluate", out, test, "--json")).stdout)).toBe(trained.test.accuracy);
    const plain = imageFolder(file("plain"), [200, 201, 202], false);
    const both = [await works("predict", out, plain), await works("predict", out, test)].map(({ stdout }) => stdout);
    expect(both[0]).toMatch(/^file,prediction,p_digit 0,.*\n0200\.png,digit \d,.*\n0201\.png,.*\n0202\.png,.*\n$/);
    // Sorted by class and then by name, each with its own prediction.
    const inFolders = both[1].trimEnd().split("\n");
    const names = numbers(count, 200).map((i) => `digit ${labels[i]}/${String(i).padStart(4, "0")}.png`);
    expect(inFolders.slice(1).map((line) => line.split(",")[0])).toEqual(names.sort());
    for (const line of both[0].trimEnd().split("\n")) expect(both[1]).toContain(line);
    expect((await works("describe", test)).stdout).toContain("100 rows, 65 columns");
  });

  it("trains a network on image folders", async () => {
    const [train, test] = folders();
    const out = file("network.safetensors");
    const model = ["--model", "cnn:8,hidden=32", "--rate", "0.01"];
    const { stdout } = await works("train", train, "--test", test, ...model, "--out", out, "--json", ...quick);
    const trained = JSON.parse(stdout);
    expect(trained.test.accuracy).toBeGreaterThan(0.7);
    expect(accuracy((await works("evaluate", out, test, "--json")).stdout)).toBe(trained.test.accuracy);
    expect((await works("predict", out, imageFolder(file("unlabelled"), [200, 201], false))).stdout).toMatch(
      /^file,prediction,p_digit 0,.*\n(020[01]\.png,digit \d,.*\n){2}$/,
    );
  });

  it("predicts a single picture, and prints the columns that are asked for", async () => {
    const [train, test] = folders();
    const out = file("one.safetensors");
    await works("train", train, "--out", out, ...quick);
    const [header, ...lines] = (await works("predict", out, test)).stdout.trimEnd().split("\n");
    const [name] = lines[0].split(",");
    const one = await works("predict", out, join(test, name));
    expect(one.stdout).toBe(`${header}\n${lines[0].replace(/^[^/]*[/]/, "")}\n`);
    const asked = async (...words: string[]) => (await works("predict", out, test, ...words)).stdout.split("\n", 2);
    expect((await asked("--id", "file"))[1]).toBe(lines[0]);
    expect((await asked("--keep", "y"))[1]).toBe(lines[0].replace(",", `,${name.split("/")[0]},`));
    expect((await asked("--id", "y"))[1]).toBe(lines[0].replace(name, name.split("/")[0]));
    expect(JSON.parse((await works("predict", out, test, "--json")).stdout).predictions[0].kept).toEqual({ file: name });
    const wrong = await ergodic("predict", out, test, "--id", "path");
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/--id or --keep asks for a column "path"/)]);
    const lost = await ergodic("predict", out, join(test, "lost.png"));
    expect([lost.code, lost.stderr]).toEqual([1, expect.stringMatching(/there is no such file/)]);
    const alone = await ergodic("train", join(test, name), "--quiet");
    expect(alone.stderr).toMatch(/there are no labels to learn; put the images of each class into a sub-folder/);
  });

  it("resizes images and converts channels equally for training and prediction", async () => {
    const [train, out] = [imageFolder(file("sized"), numbers(100)), file("sized.safetensors")];
    const { stderr } = await works("train", train, "--size", "4x6", "--channels", "3", "--out", out, ...quick.slice(1));
    expect(stderr).toMatch(/72 columns \(4 × 6 × 3\); target y/);
    expect((await works("predict", out, train)).stdout.split("\n")).toHaveLength(102);
  });

  it("refuses a folder for a model trained on a table", async () => {
    const [table, out] = [file("table.csv"), file("table.safetensors")];
    writeFileSync(
      table,
      `a,b\n${numbers(40)
        .map((i) => `${i},${(i * 7) % 5}.5\n`)
        .join("")}`,
    );
    await works("train", table, "--target", "b", "--quiet", "--out", out);
    const folder = imageFolder(file("few"), [0, 1]);
    const { code, stderr } = await ergodic("predict", out, folder);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the model was not trained on images; name a file")]);
    const picture = await ergodic("predict", out, join(folder, `digit ${labels[0]}`, "0000.png"));
    expect(picture.stderr).toContain("is an image, but the model was not trained on images; name a file");
  });
});

describe("--row-shape", () => {
  it("sets the shape of a table's rows, which is stored with the model", async () => {
    const out = file("shaped.safetensors");
    const { stderr } = await works(
      "train",
      digits,
      "--target",
      "label",
      "--classes",
      "--row-shape",
      "8x8x1",
      "--out",
      out,
      "--epochs",
      "1",
    );
    expect(stderr).toContain("64 columns (8 × 8 × 1)");
    expect((await predictor<LinearPredictor>(out)).pipeline.shape.rowShape).toEqual([8, 8, 1]);
  });

  it.each([
    ["8x9", "rowShape is [8, 9], 72 values, but a row has 64 columns; give sizes that multiply to 64 [OPTION_RANGE]"],
    ["8 8", '--row-shape: "8 8" is not a list of sizes; separate sizes with x, like 28x28'],
  ])("refuses %s", async (shape, message) => {
    const { code, stderr } = await ergodic("train", digits, "--target", "label", "--classes", "--row-shape", shape);
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining(message)]);
  });
});
