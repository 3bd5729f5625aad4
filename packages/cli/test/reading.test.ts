/** Flags for reading files, as recommended by the readers' errors. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const put = (name: string, text: string): string => {
  writeFileSync(file(name), text);
  return file(name);
};
const rows = (line: (i: number) => string): string => `${Array.from({ length: 24 }, (_, i) => line(i)).join("\n")}\n`;

/** Model that `train` made, and its predictions for the same rows. */
async function trained(data: string, ...words: string[]): Promise<{ columns: number; predicted: string }> {
  const out = file("reading.safetensors");
  const flags = ["--target", "y", "--quiet", "--json", "--epochs", "2", "--out", out, ...words];
  const { stdout } = await works("train", data, ...flags);
  const kept = words.filter((_, i) => !["--impute"].includes(words[i]) && words[i - 1] !== "--impute");
  const { stdout: predicted } = await works("predict", out, data, ...kept);
  return { columns: (JSON.parse(stdout) as { columnCount: number }).columnCount, predicted };
}

const failing = async (...words: string[]): Promise<string> => {
  const { code, stderr } = await ergodic(...words);
  expect(code).not.toBe(0);
  return stderr;
};

it("--decimal , reads numbers with a comma, as the error recommends where the first lines do not decide", async () => {
  const data = put("euro.csv", `a;y\n${rows((i) => `${i},5;${2 * i},25`)}`);
  expect(await failing("train", data, "--target", "y", "--delimiter", ";", "--decimal", ".")).toMatch(/pass --decimal ,/);
  const { columns, predicted } = await trained(data, "--delimiter", ";", "--decimal", ",");
  expect(columns).toBe(1);
  expect(predicted.trim().split("\n")).toHaveLength(25);
});

it("--missing sets the texts that mark missing values", async () => {
  const data = put("missing.csv", `a,y\n${rows((i) => `${i % 5 === 0 ? "-999" : i},${i}`)}`);
  const plain = await trained(data);
  const told = await trained(data, "--missing", ",-999", "--impute", "mean");
  expect(told.columns).toBe(1);
  expect(told.predicted).not.toBe(plain.predicted);
  expect(await failing("train", data, "--target", "y", "--missing", "-999")).toMatch(/--impute mean/);
});

it("--types treats numbers as a category, in prediction too", async () => {
  const data = put("zip.csv", `zip,age,y\n${rows((i) => `1${i % 3},${i},${i % 3}`)}`);
  expect((await trained(data)).columns).toBe(2);
  expect((await trained(data, "--types", "zip=category,age=number")).columns).toBe(4);
});

it("--levels sets the allowed levels of a category", async () => {
  const data = put("size.csv", `size,y\n${rows((i) => `${"SM"[i % 2]},${i}`)}`);
  expect((await trained(data, "--levels", "size=S,M,L")).columns).toBe(2);
  const error = await failing("train", data, "--target", "y", "--levels", "size=S,L");
  expect(error).toMatch(/declare all levels: --levels 'size=/);
});

it("--first-index 0 reads LIBSVM lines that count from 0, as the error recommends", async () => {
  const data = put(
    "zero.libsvm",
    rows((i) => `${i % 2} 0:${i} 2:1`),
  );
  expect(await failing("train", data)).toMatch(/pass --first-index 0/);
  const { stdout } = await works("train", data, "--quiet", "--json", "--epochs", "1", "--first-index", "0");
  expect((JSON.parse(stdout) as { columnCount: number }).columnCount).toBe(3);
});

it("--bits sets the number of columns of VW names, and rows for a model need the model's number", async () => {
  const data = put(
    "names.vw",
    rows((i) => `${i % 2} | ${"ab"[i % 2]} word${i}`),
  );
  const out = file("names.safetensors");
  const train = ["train", data, "--quiet", "--json", "--epochs", "1"];
  const { stdout } = await works(...train, "--bits", "10", "--out", out);
  expect((JSON.parse(stdout) as { columnCount: number }).columnCount).toBe(2 ** 10);
  const unread =
    /names\.vw: names are hashed into 262144 columns, the model's into 1024; read them with --bits 10 \[DATA_SHAPE\]/;
  for (const command of ["predict", "evaluate"]) {
    expect(await failing(command, out, data)).toMatch(unread);
    await works(command, out, data, "--bits", "10");
  }
  const further = [...train, "--from", out, "--rule", "adagrad"];
  expect(await failing(...further)).toMatch(/262144 columns, the model/);
  await works(...further, "--bits", "10");
});

it("--comment skips lines, as the error recommends, in prediction and evaluation too", async () => {
  const data = put("comment.csv", `# made today\na,y\n${rows((i) => `${i % 4 === 0 ? "#" : ""}${i},${i}`)}`);
  expect(await failing("train", data, "--target", "a")).toMatch(/pass --comment '#' if/);
  const { columns, predicted } = await trained(data, "--comment", "#");
  expect(columns).toBe(1);
  expect(predicted.trim().split("\n")).toHaveLength(19);
  const { stdout } = await works("evaluate", file("reading.safetensors"), data, "--comment", "#", "--json");
  expect(checked("evaluate", stdout)).toMatchObject({ rows: 18, remarks: [{ kind: "comment", rows: 7, of: 25 }] });
});

it("--ragged skip counts rows of another length, as the error recommends", async () => {
  const data = put("ragged.csv", `a,y\n${rows((i) => (i % 6 === 1 ? `${i}` : `${i},${i}`))}`);
  expect(await failing("train", data, "--target", "y")).toMatch(/or pass --ragged skip to skip rows like this/);
  const said = "4 of 24 rows do not have 2 fields and were skipped (first: line 3, with 1)";
  const out = file("ragged.safetensors");
  const { stderr } = await works("train", data, "--target", "y", "--epochs", "1", "--ragged", "skip", "--out", out);
  expect(stderr).toContain(`ragged.csv: ${said}`);
  const { stdout } = await works("train", data, "--target", "y", "--epochs", "1", "--ragged", "skip", "--json", "--quiet");
  expect(checked("train", stdout)).toMatchObject({ remarks: [{ kind: "skipped", rows: 4, of: 24, message: said }] });
  const predicted = await works("predict", out, data, "--ragged", "skip");
  expect(predicted.stderr).toContain(`ragged.csv: ${said}`);
  expect(predicted.stdout.trim().split("\n")).toHaveLength(21);
  const told = await works("predict", out, data, "--ragged", "skip", "--json");
  expect(checked("predict", told.stdout)).toMatchObject({ remarks: [{ rows: 4, of: 24 }] });
  expect((await works("evaluate", out, data, "--ragged", "skip")).stderr).toContain(said);
  const evaluated = await works("evaluate", out, data, "--ragged", "skip", "--json");
  expect(checked("evaluate", evaluated.stdout)).toMatchObject({ remarks: [{ rows: 4, of: 24 }] });
  expect(await failing("train", data, "--target", "y", "--ragged", "drop")).toMatch(/refuse or skip/);
});

it("--dense makes networks of LIBSVM and VW files, which predict and evaluate such files", async () => {
  for (const [name, line] of [
    ["dense.libsvm", (i: number) => `${i % 2} 1:${i % 2} 3:1`],
    ["dense.vw", (i: number) => `${(i % 2) * 2 - 1} | ${"ab"[i % 2]} c:${i}`],
  ] as const) {
    const data = put(name, rows(line));
    const out = file(`${name}.safetensors`);
    expect(await failing("train", data, "--model", "mlp:1", "--classes")).toMatch(/--dense/);
    const flags = ["--model", "mlp:1", "--classes", "--epochs", "1", "--quiet"];
    await works("train", data, "--dense", ...flags, "--out", out);
    expect((await works("predict", out, data)).stdout.trim().split("\n")).toHaveLength(25);
    const { stdout } = await works("evaluate", out, data, "--json");
    expect(checked("evaluate", stdout)).toMatchObject({ rows: 24 });
    const unlabelled = put(`unlabelled-${name}`, rows(line).replace(/^-?\d+ /gm, " "));
    expect((await works("predict", out, unlabelled)).stdout.trim().split("\n")).toHaveLength(25);
  }
});

describe("refused options", () => {
  const data = put("plain.csv", `a,y\n${rows((i) => `${i},${i}`)}`);
  it.each<[string, string[], RegExp]>([
    ["a type unknown", ["--types", "a=date"], /--types.*"a=date" has no type; write zip=category/],
    ["a pair without =", ["--types", "a"], /--types.*"a" is not column=…; write zip=category/],
    ["levels of no column", ["--levels", "=a,b"], /--levels.*is not column=…; write size=small,medium,large/],
    ["a decimal mark unknown", ["--decimal", "x"], /decimal/],
    ["a first index unknown", ["--first-index", "2"], /first/i],
  ])("refuses %s", async (_, words, message) => expect(await failing("train", data, "--target", "y", ...words)).toMatch(message));
});

it("--engine duckdb reads the same table and reports refusals in terms of the command line", async () => {
  const data = put("engine.csv", `a,b,y\n${rows((i) => `${i},l${i % 3},${2 * i}`)}`);
  const [own, duckdb] = [await trained(data), await trained(data, "--engine", "duckdb")];
  expect(duckdb).toEqual(own);
  expect(await failing("train", data, "--target", "y", "--engine", "duckdb", "--comment", "#")).toMatch(/use --engine own/);
  expect(await failing("train", data, "--target", "y", "--engine", "pandas")).toMatch(/--engine <name>.*must be own or duckdb/i);
});
