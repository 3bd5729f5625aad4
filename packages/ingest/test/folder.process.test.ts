/** Contents of a folder, and the file that contains the labels of another. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { entriesOf, isFolder, labelsBeside } from "../src/folder.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "folder-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const put = (...names: string[]): void => {
  for (const name of names) writeFileSync(join(folder, name), "x");
};

test("sorts entries by name, omits hidden ones and follows links", async () => {
  put("b.png", "10.png", "9.png", ".hidden", "a.b");
  mkdirSync(join(folder, "classes"));
  symlinkSync("classes", join(folder, "also"));
  symlinkSync("b.png", join(folder, "z.png"));
  const wanted: [string, boolean][] = [
    ["10.png", false],
    ["9.png", false],
    ["a.b", false],
    ["also", true],
    ["b.png", false],
    ["classes", true],
    ["z.png", false],
  ];
  for (const path of [folder, `${folder}/`, `${folder}//`]) {
    const entries = await entriesOf(path);
    expect(entries.map((entry) => [entry.name, entry.folder])).toEqual(wanted);
    expect(entries.map((entry) => entry.path)).toEqual(wanted.map(([name]) => `${folder}/${name}`));
  }
  await expect(entriesOf(join(folder, "none"))).rejects.toThrow(/none: the folder cannot be read \(ENOENT.*\[DATA_FILE\]$/);
  symlinkSync("nowhere", join(folder, "broken"));
  await expect(entriesOf(folder)).rejects.toMatchObject({ code: "DATA_FILE", cause: { code: "ENOENT" } });
});

test("recognises paths of folders", async () => {
  put("file");
  expect(await isFolder(folder)).toBe(true);
  for (const source of [join(folder, "file"), join(folder, "none"), "-", `${folder}\n`, new Uint8Array(1), new Blob([])])
    expect(await isFolder(source)).toBe(false);
  // This is standard input, even if a file of that name exists.
  mkdirSync(join(folder, "-"));
  const before = process.cwd();
  process.chdir(folder);
  expect(await isFolder("-").finally(() => process.chdir(before))).toBe(false);
});

test.each([
  ["train-images-idx3-ubyte", ["train-labels-idx1-ubyte"]],
  ["t10k-images.idx3-ubyte.gz", ["t10k-labels.idx1-ubyte.gz"]],
  ["x.npy", ["y.npy"]],
  ["x_train.npy", ["y_train.npy"]],
  ["x-test.npy.gz", ["y-test.npy.gz"]],
  // A file in the same case is preferred.
  ["X.npy", ["Y.npy", "y.npy"]],
  ["X.a.npy", ["Y.a.npy", "y.a.npy"]],
])("finds the labels of %s", async (name, others) => {
  const path = join(folder, name);
  put(name);
  expect(await labelsBeside(path)).toBeUndefined();
  for (const other of [...others].reverse()) {
    const packed = other.endsWith(".gz");
    const twin = packed ? other.slice(0, -3) : `${other}.gz`;
    // Prefers a file compressed like the data, and otherwise uses the other one.
    put(twin);
    expect(await labelsBeside(path)).toBe(join(folder, twin));
    put(other);
    expect(await labelsBeside(path)).toBe(join(folder, other));
  }
});

test("finds no labels next to other names, for a folder or without a path", async () => {
  put("y.npy", "y2.npy", "max.npy", "ay.npy", "labels-idx1-ubyte");
  for (const name of ["max.npy", "ax.npy", "x2.npy", "y.npy", "x.csv", "images", "images-idx3-ubyte.bin"])
    expect(await labelsBeside(join(folder, name)), name).toBeUndefined();
  mkdirSync(join(folder, "y_a.npy"));
  expect(await labelsBeside(join(folder, "x_a.npy"))).toBeUndefined();
  expect(await labelsBeside(`${folder}/a\nx.npy`)).toBeUndefined();
  expect(await labelsBeside(new Uint8Array(1))).toBeUndefined();
});
