/** Errors about rows read for a model use the model's terms and suggest the nearest names. */
import { expect, test } from "vitest";
import { blocks, likeFault, readCsv, readLibsvm, readTable } from "../src/index.ts";
import { nearName } from "../src/near-name.ts";

const csv = (content: string) => ({ name: "new.csv", content });
const table = await readCsv({ name: "old.csv", content: "agegp,n,y\na,1,0\nb,2,1\na,3,1\n" }, { target: "y" });
const sparse = await readLibsvm({ name: "old.svm", content: "1 1:1\n0 2:1\n" });
const svm = { name: "new.svm", content: "1 1:2\n" };

test("reports a column that the model needs and the file lacks", async () => {
  await expect(readCsv(csv("agegrp,n,y\na,1,0\n"), { like: table })).rejects.toThrow(
    /^new\.csv: the model needs a column "agegp", which is missing; did you mean "agegrp"\? \[DATA_COLUMN\]$/,
  );
  await expect(readCsv(csv("other,n,y\na,1,0\n"), { like: table })).rejects.toThrow(
    'new.csv: the model needs a column "agegp", which is missing; the columns are "other", "n", "y" [DATA_COLUMN]',
  );
  // Types given by the user are preserved.
  await expect(readTable(csv("a\n1\n"), { types: { b: "number" } })).rejects.toThrow("types asks for a column");
});

test("reports the user's own types as given", async () => {
  const failure = await readTable(csv("a\n1\n"), { types: { b: "number" } }).catch((error: unknown) => error);
  expect(likeFault(failure, table.pipeline, { b: "number" })).toBe(failure);
  expect(String(likeFault(failure, table.pipeline))).toContain('the model needs a column "b"');
  const other = new Error("of another kind");
  expect(likeFault(other)).toBe(other);
});

test("reports sparse rows for a table and a table for sparse rows", async () => {
  await expect(readLibsvm(svm, { like: table })).rejects.toThrow(
    /^new\.svm: the file holds sparse rows, but the model was trained on a table with named columns \("agegp", "n"\); give a table with these columns/,
  );
  await expect(readCsv(csv("a,y\n1,0\n"), { like: sparse })).rejects.toThrow(
    /^new\.csv: the file holds a table, but the model was trained on sparse rows with numbered columns; give a LIBSVM or VW file/,
  );
});

test("preserves numbers as written in a column that becomes text, in blocks as in the whole", async () => {
  const text = csv("n,m\n1001.0,1\n2.50,2\noops,3\n1001.0,4\n");
  const [whole] = (await readTable(text)).columns;
  expect(whole).toMatchObject({ kind: "category", levels: ["1001.0", "2.50", "oops"] });
  const parts: string[] = [];
  for await (const { columns } of blocks(text, { rows: 3 })) {
    const [column] = columns;
    expect(column).toMatchObject({ kind: "category", levels: ["1001.0", "2.50", "oops"] });
    if (column.kind === "category") for (const code of column.codes) parts.push(column.levels[code]);
    expect(columns[1].kind).toBe("number");
  }
  expect(parts).toEqual(["1001.0", "2.50", "oops", "1001.0"]);
});

test.each([
  ["agegp", ["n", "agegrp"], "agegrp"],
  ["Age", ["stage", " age "], " age "],
  ["age", ["sage", "wage"], undefined],
  ["pages", ["stage", "page"], "page"],
  ["household", ["house", "huosehold"], "huosehold"],
  ["ab", ["ac"], undefined],
  ["income", ["outcome", "incme"], "incme"],
  ["income", ["ncom"], undefined],
  ["income", ["weight"], undefined],
  ["x".repeat(200), [`${"x".repeat(199)}y`], undefined],
])("suggests the name nearest to %s", (wanted, names, near) => {
  expect(nearName(wanted, names)).toBe(near);
});
