/** Missing values per column, indicators, new levels, dates and remarks on the command line. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const put = (name: string, header: string, line: (i: number) => string, rows = 40): string => {
  writeFileSync(file(name), `${header}\n${Array.from({ length: rows }, (_, i) => line(i)).join("\n")}\n`);
  return file(name);
};
const failing = async (...words: string[]): Promise<string> => {
  const { code, stderr } = await ergodic(...words);
  expect(code).not.toBe(0);
  return stderr;
};
const train = async (data: string, out: string, ...words: string[]) => {
  const flags = ["--target", "y", "--algorithm", "coordinate", "--l2", "0.001", "--json", "--quiet", "--out", file(out)];
  return checked("train", (await works("train", data, ...flags, ...words)).stdout) as unknown as {
    columnCount: number;
    chosen: { target: object };
    remarks: { kind: string; message: string }[];
  };
};

const gaps = put(
  "gaps.csv",
  "age,city,y",
  (i) => `${i % 5 === 0 ? "" : i % 7},${["Oslo", "", "Rome"][i % 3]},${i % 3 === 1 ? 9 : 1}`,
);

describe("numbers with leading zeros", () => {
  const rows = (cells: readonly string[]) => (i: number) => `${cells[i % cells.length]},${i % 7},${i % 3}`;

  it("are classes of a column in training and prediction, with a remark", async () => {
    const zips = put("zips.csv", "zip,n,y", rows(["01234", "11234", "21234", "1234"]));
    const { stderr } = await works("train", zips, "--target", "y", "--no-classes", "--out", file("zips"), "--quiet");
    expect(stderr).toBe(
      `${zips}: 10 of 40 rows hold numbers with leading zeros in "zip", like "01234": taken as codes, each of which is a level; if they are amounts, pass --types 'zip=number'\n`,
    );
    const few = put("few zips.csv", "zip,n", (i) => `${["1234", "11234", "01234"][i]},1`, 3);
    const { stdout, stderr: said } = await works("predict", file("zips"), few);
    const answers = stdout.trimEnd().split("\n").slice(1);
    expect([new Set(answers).size, said]).toEqual([3, ""]);
    const amounts = await works("train", zips, "--target", "y", "--no-classes", "--types", "zip=number", "--quiet");
    expect(amounts.stderr).not.toContain("leading zeros");
  });

  it("are numbers for a model that learnt their column as numbers, without a remark", async () => {
    const ages = put("ages.csv", "age,n,y", rows(["12", "20", "35"]));
    await train(ages, "ages", "--no-classes");
    const [padded, plain] = ["05", "5"].map((age) => put(`age ${age}.csv`, "age,n,y", () => `${age},1,1`, 2));
    const all = [await works("predict", file("ages"), padded), await works("predict", file("ages"), plain)];
    expect(all[0]).toEqual(all[1]);
    expect((await works("evaluate", file("ages"), padded)).stderr).toBe("");
  });
});

describe("missing-value markers among numbers", () => {
  const sheet = put(
    "sheet.csv",
    "age,city,y",
    (i) => `${i % 5 === 0 ? "#N/A" : i % 7},${["Oslo", "None"][i % 2]},${i % 3 === 1 ? 9 : 1}`,
  );
  const told = (remarks: { message: string }[]) => remarks.map(({ message }) => message);

  it("are filled in training and counted", async () => {
    const { remarks } = await train(sheet, "sheet", "--impute", "median");
    expect(told(remarks)).toEqual([
      '8 of 40 rows hold "#N/A" in "age", a column of numbers: taken as missing',
      '20 of 40 rows hold "None" in "city", a column of texts: it is kept as a level; list it in --missing if it means no value',
    ]);
    expect(await failing("train", sheet, "--target", "y")).toMatch(/8 values are missing in column "age" \(first "#N\/A"\)/);
    const commented = await train(sheet, "sheet of comments", "--comment", "#");
    expect(told(commented.remarks)).toContain('8 of 40 lines begin with the comment mark "#" and were not read');
  });

  it("are reported although --quiet hides progress", async () => {
    const filled = ["--target", "y", "--impute", "median", "--quiet", "--no-classes"];
    const remark = `${sheet}: 8 of 40 rows hold "#N/A" in "age", a column of numbers: taken as missing\n`;
    for (const words of [
      ["train", sheet, ...filled],
      ["path", sheet, ...filled, "--folds", "0"],
      ["tune", sheet, ...filled, "--over", "l2:log:1e-3..1", "--trials", "1"],
    ]) {
      const { stderr } = await works(...words);
      expect(stderr).toContain(remark);
      expect(stderr).not.toContain("40 rows to train");
    }
    const sampled = ["sample", "--formula", "y ~ city", "--data", sheet, "--draws", "20", "--warmup", "20", "--quiet"];
    expect((await works(...sampled)).stderr).toContain(remark);
  });

  it("are filled in the same way in new rows, in blocks and in single rows", async () => {
    await train(sheet, "filled", "--impute", "median", "--no-classes");
    const predicted = async (cells: string[]) =>
      (
        await works(
          "predict",
          file("filled"),
          put("sheet row.csv", "age,city", (i) => `${cells[i]},Oslo`, cells.length),
        )
      ).stdout;
    const [, wanted] = (await predicted([""])).split("\n");
    for (const cell of ["#N/A", "-", "NULL"]) {
      expect((await predicted([cell])).split("\n")[1]).toBe(wanted);
      expect((await predicted(["3", cell])).split("\n")[2]).toBe(wanted);
    }
    const rows = put("sheet rows.csv", "age,city", (i) => (i % 7 === 3 ? "# x" : `${i % 9 === 0 ? "N/A" : 4},None`), 70_000);
    const { stderr, stdout } = await works("predict", file("filled"), rows, "--comment", "#");
    expect(stdout.trim().split("\n")).toHaveLength(60_001);
    expect(stderr).toMatch(/6667 of 60000 rows hold "N\/A" in "age", a column of numbers: taken as missing/);
    expect(stderr).toMatch(/10000 of 70000 lines begin with the comment mark "#" and were not read/);
    expect(stderr).not.toContain('"None"');
    const text = await works(
      "predict",
      file("filled"),
      put("sheet gaps.csv", "age,city", () => "N/A,Rome", 2),
      "--json",
    );
    expect((checked("predict", text.stdout) as unknown as { remarks: object[] }).remarks).toMatchObject([
      { kind: "missing", column: "age", rows: 2, of: 2 },
      { kind: "new level" },
    ]);
  });
});

describe("--impute", () => {
  it("fills by column, and all other columns by the word without a column", async () => {
    expect((await train(gaps, "a", "--impute", "age=median,city=level")).columnCount).toBe(4);
    expect((await train(gaps, "a", "--impute", "median,city=level", "--indicator")).columnCount).toBe(5);
    expect((await train(gaps, "a", "--impute", "level")).columnCount).toBe(4);
    expect((await train(gaps, "a", "--impute", "mode")).columnCount).toBe(3);
    expect(await failing("train", gaps, "--target", "y", "--impute", "age=median")).toMatch(
      /values are missing in column "city".*--impute mean, median, mode or level \(missing as a level of its own\)/,
    );
  });

  it("is stored with the model and used by predict, evaluate and describe", async () => {
    await train(gaps, "kept", "--impute", "median,city=level", "--no-classes");
    const later = put("later.csv", "age,city", (i) => `,${["", "Rome"][i]}`, 2);
    const { stdout } = await works("predict", file("kept"), later);
    const [, gap, rome] = stdout.trim().split("\n").map(Number);
    expect(gap).toBeCloseTo(9, 0);
    expect(rome).toBeCloseTo(1, 0);
    const described = checked("describe", (await works("describe", file("kept"), "--json")).stdout);
    expect(described).toMatchObject({
      imputed: [
        { name: "age", missing: 8, method: "median" },
        { name: "city", missing: 13, method: "level", value: "(missing)" },
      ],
    });
    await works("evaluate", file("kept"), gaps);
  });

  it.each<[string, RegExp]>([
    ["zero", /"zero" must be mean, median, mode or level, or column=one of these, like city=level/],
    ["age=zero", /"age=zero" must be/],
    ["=mean", /"=mean" must be/],
    ["age=mean,age=mode", /"age" is given twice; give one/],
    ["mean,mode", /Two methods apply to all columns; give one/],
    ["town=mode", /impute asks for a column "town"/],
    ["age=level,city=mode", /impute is "level" for "age".*with --indicator for a column/],
  ])("refuses %s", async (how, message) =>
    expect(await failing("train", gaps, "--target", "y", "--impute", how)).toMatch(message),
  );
});

it("recommends a usable remedy for a missing value that the model cannot fill", async () => {
  const whole = put("whole.csv", "age,y", (i) => `${i},${i % 2}`);
  const later = file("later.csv");
  writeFileSync(later, "age,y\n1,0\n,1\n");
  await train(whole, "unfilled");
  for (const command of ["predict", "evaluate"])
    expect(await failing(command, file("unfilled"), later)).toMatch(
      /row 2 has no value in column "age"; give it, or train with --impute mean, median or mode, which fills gaps here, too \[/,
    );
  await train(whole, "filling", "--impute", "mean");
  await works("predict", file("filling"), later);
});

describe("unknown levels", () => {
  const later = put("new.csv", "city,y", (i) => `${["Oslo", "Bonn", "Rome", "Kyiv"][i % 4]},${i % 2}`, 200);
  const old = put("old.csv", "city,y", (i) => `${["Oslo", "Rome"][i % 2]},${i % 2}`);
  const said = '100 of 200 rows had new levels in "city", which the model does not know ("Bonn", "Kyiv")';

  it("are counted by predict and evaluate, also in JSON", async () => {
    await train(old, "old");
    const predicted = await works("predict", file("old"), later);
    expect(predicted.stderr).toContain(`new.csv: ${said}`);
    expect(predicted.stdout).not.toContain("level");
    expect((await works("predict", file("old"), later, "--out", file("p.csv"))).stderr).toContain(said);
    expect((await works("predict", file("old"), old)).stderr).toBe("");
    const told = checked("predict", (await works("predict", file("old"), later, "--json")).stdout);
    expect(told).toMatchObject({ remarks: [{ kind: "new level", column: "city", rows: 100, of: 200, message: said }] });
    expect((await works("evaluate", file("old"), later)).stderr).toContain(`new.csv: ${said}`);
    const evaluated = checked("evaluate", (await works("evaluate", file("old"), later, "--json")).stdout);
    expect(evaluated).toMatchObject({ remarks: [{ rows: 100, of: 200, message: said }] });
  });

  it("are reported for test files during training", async () => {
    const flags = ["--target", "y", "--epochs", "1"];
    expect((await works("train", old, ...flags, "--test", later)).stderr).toContain(`new.csv: ${said}`);
    expect((await works("train", old, ...flags, "--validate", later)).stderr).toContain(`new.csv: ${said}`);
    expect((await works("train", old, ...flags, "--test", later, "--quiet")).stderr).toBe(`${later}: ${said}\n`);
  });

  it("are refused on request, in training and in prediction", async () => {
    await train(old, "zero");
    for (const verb of ["predict", "evaluate"]) {
      expect(await failing(verb, file("zero"), later, "--unknown", "refuse")).toContain(said);
      await works(verb, file("zero"), later, "--unknown", "zero");
      await works(verb, file("zero"), old, "--unknown", "refuse");
    }
    await train(old, "strict", "--unknown", "refuse");
    expect(await failing("predict", file("strict"), later)).toMatch(/"Bonn" is not a level that column "city" was made with/);
    expect(await failing("train", old, "--target", "y", "--unknown", "maybe")).toMatch(/zero or refuse/);
  });

  it("are summed over files with several blocks", async () => {
    const long = put("long.csv", "city", (i) => (i % 1000 === 0 ? "Bonn" : "Oslo"), 70_000);
    await train(old, "long");
    const { stderr } = await works("predict", file("long"), long, "--out", file("long-predicted.csv"));
    expect(stderr).toContain('70 of 70000 rows had a new level in "city", which the model does not know ("Bonn")');
  });
});

it("--dates splits dates in training and in prediction, and unsplit dates are reported", async () => {
  const day = (i: number): string => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);
  const dated = put("dated.csv", "on,id,y", (i) => `${day(i)},x${i},${i % 7}`);
  const plain = await works("train", dated, "--target", "y", "--epochs", "1");
  expect(plain.stderr).toContain(
    'dated.csv: 40 of 40 rows hold dates in "on", taken as 40 levels; split them into parts with --dates on',
  );
  expect(plain.stderr).toMatch(/40 different texts in "id", which looks like an identifier: .*; drop it: --drop id/);
  const { columnCount, remarks } = await train(dated, "dated", "--dates", "on", "--drop", "id");
  expect([columnCount, remarks]).toEqual([21, []]);
  const { stdout } = await works(
    "predict",
    file("dated"),
    put("next.csv", "on", () => "2024-03-05", 1),
  );
  expect(Number(stdout.trim().split("\n")[1])).toBeCloseTo(1, 0);
  expect(await failing("train", dated, "--target", "y", "--dates", "off")).toMatch(/dates asks for a column "off"/);
  expect(await failing("train", dated, "--target", "y", "--dates", "id")).toMatch(/"x0" in column "id" is not a date/);
});

it("refuses a whole number that would be rounded, and names flags that keep or drop it", async () => {
  const long = put("long-id.csv", "id,a,y", (i) => `90071992547409${93 + 2 * i},${i % 3},${i % 2}`);
  const said = await failing("train", long, "--target", "y");
  expect(said).toMatch(
    /is beyond 2\^53.*keep it as text, --types 'id=category', drop it, or let it be rounded, --types 'id=number'/,
  );
  expect((await train(long, "x", "--types", "id=category")).columnCount).toBe(41);
  expect((await train(long, "x", "--drop", "id")).columnCount).toBe(1);
});

describe("a column whose values collapse in 32-bit floats", () => {
  const seconds = put("seconds.csv", "t,x,y", (i) => `${1_700_000_000 + ((i * 137) % 600)},${i % 5},${i % 2}`);

  it("is reported in training, with the option that preserves it", async () => {
    const flags = ["--target", "y", "--epochs", "1"];
    const { stderr } = await works("train", seconds, ...flags);
    expect(stderr).toMatch(
      /seconds\.csv: 39 of 40 rows of "t" are rounded to 32-bit floats.*; pass --precision f64, or subtract a constant/,
    );
    expect((await works("train", seconds, ...flags, "--precision", "f64")).stderr).not.toContain("rounded");
    expect(await train(seconds, "seconds")).toMatchObject({ remarks: [{ kind: "precision", column: "t" }] });
  });
});
