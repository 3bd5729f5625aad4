/**
 * Every bad input gives an error with file, line, column, text and remedy. Complete messages are compared, with one
 * fixture each.
 */
import { fileURLToPath } from "node:url";
import { DataError, OptionError } from "ergodic";
import { expect, test } from "vitest";
import * as ingest from "../src/index.ts";

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const csv = (name: string, options: Partial<Parameters<typeof ingest.readCsv>[1]> = {}) =>
  [name, () => ingest.readCsv(fixture(name), { target: -1, ...options })] as const;
const table = (name: string, options: ingest.ReadTableOptions = {}) =>
  [name, () => ingest.readTable(fixture(name), options)] as const;
const sparse = (name: string, options: ingest.ReadTableOptions = {}) =>
  [name, () => ingest.readSparseTable(fixture(name), options)] as const;

const cases: (readonly [read: readonly [string, () => Promise<unknown>], message: string, type?: typeof OptionError])[] = [
  [
    csv("unterminated-quote.csv"),
    'unterminated-quote.csv:3:1: the quote that opens \'"Bob,42\' is never closed; close it, double a quote that belongs to the text, or pass quote: "" [DATA_PARSE]',
  ],
  [
    csv("text-after-quote.csv"),
    'text-after-quote.csv:2:1: text follows a closing quote in \'"Ann"ie,31\'; double a quote that belongs to the text, or pass quote: "" [DATA_PARSE]',
  ],
  [
    csv("stray-quote.csv"),
    'stray-quote.csv:2:1: there is a quote inside the unquoted field \'5" pipe,31\'; quote the whole field and double the quote, or pass quote: "" [DATA_PARSE]',
  ],
  [
    csv("ragged.csv"),
    'ragged.csv:3:3: the row has 2 fields, but the header names 3: "4,5"; complete it, quote fields that contain the delimiter, or pass ragged: "skip" to skip rows like this [DATA_RAGGED]',
  ],
  [
    csv("too-many-fields.csv"),
    'too-many-fields.csv:3:3: the row has 3 fields, but the header names 2: "Bob,1,300"; complete it, quote fields that contain the delimiter, or pass ragged: "skip" to skip rows like this [DATA_RAGGED]',
  ],
  [
    csv("not-number.csv", { types: { age: "number" } }),
    'not-number.csv:4:1: "abc" is not a number in column "age"; correct it, list it in the option missing, or declare types: { "age": "category" } [DATA_TYPE]',
  ],
  [
    csv("mostly-numbers.csv"),
    'mostly-numbers.csv:14:1: "4o" is not a number in column "age", whose other values are numbers (13); correct it, list it in the option missing, or declare types: { "age": "category" } [DATA_TYPE]',
  ],
  [
    csv("adult.csv", { target: "Income" }),
    'adult.csv: target asks for a column "Income" that is not there; did you mean "income"? [DATA_COLUMN]',
  ],
  [
    csv("adult.csv", { target: "wage" }),
    'adult.csv: target asks for a column "wage" that is not there; the columns are "age", "income" [DATA_COLUMN]',
  ],
  [
    csv("adult.csv", { target: 2 }),
    "adult.csv: target asks for column 2, but columns are numbered 0 to 1; give a number in that range, or a name [DATA_COLUMN]",
  ],
  [
    csv("adult.csv", { drop: ["sex"] }),
    'adult.csv: drop asks for a column "sex" that is not there; the columns are "age", "income" [DATA_COLUMN]',
  ],
  [
    csv("adult.csv", { types: { sex: "category" } }),
    'adult.csv: types asks for a column "sex" that is not there; the columns are "age", "income" [DATA_COLUMN]',
  ],
  [
    csv("adult.csv", { types: { income: ["low", "middle"] } }),
    'adult.csv:3:2: "high" is not a level of column "income" ("low", "middle"); correct it, or declare all levels: types: { "income": ["low", "middle", "high"] } [DATA_TYPE]',
  ],
  [
    csv("adult.csv", { target: "income", drop: ["income"] }),
    'adult.csv: column "income" is both target and dropped; take it out of drop [OPTION_CONFLICT]',
    OptionError,
  ],
  [
    csv("adult.csv", { header: ["age"] }),
    'adult.csv:1:2: the row has 2 fields, but the option header lists 1: "age,income"; complete it, quote fields that contain the delimiter, or pass ragged: "skip" to skip rows like this [DATA_RAGGED]',
  ],
  [
    csv("missing-values.csv"),
    'missing-values.csv:3:1: 2 values are missing in column "age" (first "?") and in "work" (2); fill them with impute: "mean", "median", "mode" or "level" (missing as a level of its own), drop the column, or remove these rows [DATA_MISSING]',
  ],
  [
    csv("missing-target.csv"),
    'missing-target.csv:3:2: 1 value is missing in the target "pay" (first ""); remove these rows, or choose another column [DATA_MISSING]',
  ],
  [
    csv("empty-column.csv", { impute: "mean" }),
    'empty-column.csv:2:2: column "note" has no value at all (first ""); drop it: drop: ["note"] [DATA_MISSING]',
  ],
  [
    csv("duplicate-header.csv"),
    'duplicate-header.csv:1:3: the name "a" is taken by column 1 already; rename one of them, or pass header: false if the first line is data [DATA_HEADER]',
  ],
  [csv("empty.csv"), "empty.csv: the file is empty; a table needs at least one row [DATA_EMPTY]"],
  [
    csv("header-only.csv"),
    "header-only.csv: the file holds a header but no rows; if its first line is data, pass header: false [DATA_EMPTY]",
  ],
  [
    csv("one-class.csv"),
    'one-class.csv: column 2, the target "class", holds only one class, "yes": there is nothing to learn; choose another target [DATA_TARGET]',
  ],
  [
    csv("numbers-header.csv"),
    'numbers-header.csv:1:1: the first line should name the columns, but holds only numbers ("5.1" …); pass header: false if it is data, or header: true if these numbers are the names [DATA_HEADER]',
  ],
  [
    csv("semicolons.csv", { delimiter: "," }),
    'semicolons.csv:1:1: the first line is one field, "a;b;c"; pass delimiter: ";", or quote the field [DATA_HEADER]',
  ],
  [
    csv("comma-decimals.csv", { delimiter: ";", decimal: "." }),
    'comma-decimals.csv:2:1: "1,5" looks like a number with a decimal comma in column "a"; pass decimal: ",", or declare types: { "a": "category" } [DATA_TYPE]',
  ],
  [
    csv("comma-decimals.csv", { delimiter: ";", decimal: ".", types: { a: "number" } }),
    'comma-decimals.csv:2:1: "1,5" is not a number in column "a"; pass decimal: "," [DATA_TYPE]',
  ],
  [
    csv("infinite.csv"),
    'infinite.csv:3:1: "-Infinity" is not a finite number in column "a"; correct it, or list it in the option missing [DATA_TYPE]',
  ],
  [
    csv("overflow.csv"),
    'overflow.csv:3:1: "1e999" is not a finite number in column "a"; correct it, or list it in the option missing [DATA_TYPE]',
  ],
  [
    csv("latin1.csv"),
    "latin1.csv:3:4: byte 0xE9 is not UTF-8; if the file is Latin-1, convert it: iconv -f LATIN1 -t UTF-8 [DATA_ENCODING]",
  ],
  [
    csv("utf16.csv"),
    "utf16.csv: the file is UTF-16 (byte order mark FF FE), but must be UTF-8; convert it: iconv -f UTF-16 -t UTF-8 [DATA_ENCODING]",
  ],
  [
    csv("really-parquet.csv"),
    "really-parquet.csv: a zero byte shows that this is not a text file; it looks like Parquet; pass its actual format, or export it as text [DATA_FORMAT]",
  ],
  [csv("damaged.csv.gz"), "damaged.csv.gz: the gzip data is damaged or cut short; fetch the file again [DATA_GZIP]"],
  [
    csv("absent.csv"),
    "{fixtures}/absent.csv: there is no such file; check the path, which starts from the current folder unless it is absolute [DATA_FILE_MISSING]",
  ],
  [csv("../fixtures"), "{fixtures}: this is a folder; name a file in it [DATA_FILE]"],
  [
    table("mystery.xyz"),
    'mystery.xyz: neither the extension ".xyz" nor the first line shows the format; pass format: one of "csv", "tsv", "jsonl", "parquet", "npy", "idx", "libsvm", "vw" [DATA_FORMAT]',
  ],
  [table("wide.libsvm"), "readTable: wide.libsvm holds sparse rows; call readSparseTable [OPTION_CONFLICT]", OptionError],
  [sparse("adult.csv"), "readSparseTable: adult.csv holds a dense table; call readTable [OPTION_CONFLICT]", OptionError],
  [
    sparse("index-not-number.libsvm"),
    'index-not-number.libsvm:2:10: the index "b" in "b:2" is not a whole number; name columns by their number [DATA_INDEX]',
  ],
  [
    sparse("descending.libsvm"),
    'descending.libsvm:2:10: index 2 in "2:2" follows 3, but indices must ascend; sort the line [DATA_INDEX]',
  ],
  [
    sparse("repeated-index.libsvm"),
    'repeated-index.libsvm:1:10: index 1 in "1:1" follows 1, but indices must ascend; sort the line and drop the repeated one [DATA_INDEX]',
  ],
  [
    sparse("index-zero.libsvm"),
    'index-zero.libsvm:1:4: index 0 in "0:0.5", but columns count from 1; pass firstIndex: 0 if this file counts from 0 [DATA_INDEX]',
  ],
  [
    sparse("bad-value.libsvm"),
    'bad-value.libsvm:2:12: the value "1,5" of index 2 is not a finite number; correct it, or leave the entry out [DATA_TYPE]',
  ],
  [
    sparse("no-colon.libsvm"),
    'no-colon.libsvm:1:10: "2" is not index:value; write a feature as 3:0.5, and a comment after # [DATA_PARSE]',
  ],
  [
    sparse("missing-label.libsvm"),
    'missing-label.libsvm:2:1: the line begins with "1:0.5" and has no label; put the target first, or pass target: false for rows without one [DATA_PARSE]',
  ],
  [
    sparse("bad-label.libsvm"),
    'bad-label.libsvm:1:1: the label "spam" is not a finite number; write classes as numbers (-1 and +1, or 0, 1, 2 …) [DATA_TYPE]',
  ],
  [
    sparse("query.libsvm"),
    'query.libsvm:1:3: "qid:7" groups rows for ranking, which is not supported; pass qid: "ignore" to read the rows without it [DATA_UNSUPPORTED]',
  ],
  [
    sparse("wide.libsvm", { columnCount: 8 }),
    'wide.libsvm:2:3: index 9 in "9:1" is beyond the last column, 8; raise columnCount, or correct the line [DATA_INDEX]',
  ],
  [sparse("comments-only.libsvm"), "comments-only.libsvm: the file holds no rows; a table needs at least one [DATA_EMPTY]"],
  [
    sparse("bad-label.vw"),
    'bad-label.vw:2:1: the label "yes" is not a finite number; write one number, -1 and +1 for two classes [DATA_TYPE]',
  ],
  [
    sparse("bad-importance.vw"),
    'bad-importance.vw:2:3: the importance "heavy" is not a number >= 0; correct it, or put \' before a tag [DATA_TYPE]',
  ],
  [sparse("no-bar.vw"), 'no-bar.vw:2:1: the line "-1 a b" has no "|"; write it before the features: "1 | a b:0.5" [DATA_PARSE]'],
  [
    sparse("tag-for-label.vw"),
    'tag-for-label.vw:1:1: the line has no label; "1" touches the "|" or opens with \', so it is read as a tag: put a blank between them, or pass target: false for rows without one [DATA_PARSE]',
  ],
  [
    sparse("initial.vw"),
    'initial.vw:1:5: "0.5" follows label and importance: initial predictions and other kinds of label are not supported; remove it [DATA_UNSUPPORTED]',
  ],
  [
    sparse("bad-value.vw"),
    'bad-value.vw:1:14: the value "x" of "b" is not a finite number; correct it, or leave the feature out [DATA_TYPE]',
  ],
  [
    sparse("bad-value-nan.vw"),
    'bad-value-nan.vw:1:6: the value "nan" of "f" is not a finite number; correct it, or leave the feature out [DATA_TYPE]',
  ],
  [
    table("syntax.jsonl"),
    'syntax.jsonl:2:15: found "oops}", but wanted a value (a missing one is null; NaN and Infinity are not JSON); each line must hold one whole JSON object [DATA_PARSE]',
  ],
  [
    table("not-object.jsonl"),
    'not-object.jsonl:2:1: "[2]" is not an object; each line must hold one, like {"a": 1, "b": "x"} [DATA_PARSE]',
  ],
  [
    table("nested.jsonl"),
    'nested.jsonl:2:15: the value of "b" is an object, \'{"c": 3}}\', but a cell must be a number, a text, true, false or null; flatten it into separate columns, or drop it: drop: ["b"] [DATA_UNSUPPORTED]',
  ],
  [
    table("nan.jsonl"),
    'nan.jsonl:1:7: found "NaN}", but wanted a value (a missing one is null; NaN and Infinity are not JSON); each line must hold one whole JSON object [DATA_PARSE]',
  ],
  [
    table("cut.jsonl"),
    "cut.jsonl:2:9: found the end of the line, but wanted a name in double quotes; each line must hold one whole JSON object [DATA_PARSE]",
  ],
  [
    table("mixed.jsonl", { types: { a: "number" } }),
    'mixed.jsonl:2:1: "one" is not a number in column "a"; correct it, list it in the option missing, or declare types: { "a": "category" } [DATA_TYPE]',
  ],
  [
    table("text.npy"),
    'text.npy: the file begins with "a,b\\n1,", not with "\\x93NUMPY"; save one array with numpy.save (an .npz is an archive of several) [DATA_FORMAT]',
  ],
  [
    table("float16.npy"),
    'float16.npy: the element type "<f2" is not supported (f4 f8 i1–i8 u1–u8 b1 are); convert it: array.astype("float64") [DATA_UNSUPPORTED]',
  ],
  [
    table("strings.npy"),
    'strings.npy: the element type "<U2" is not supported (f4 f8 i1–i8 u1–u8 b1 are); save numbers, or write the table as CSV [DATA_UNSUPPORTED]',
  ],
  [
    table("records.npy"),
    "records.npy: the element type \"[('a', '<i4'), ('b', '<f8')]\" is not supported (f4 f8 i1–i8 u1–u8 b1 are); save numbers, or write the table as CSV [DATA_UNSUPPORTED]",
  ],
  [
    table("scalar.npy"),
    "scalar.npy: the array has no dimension, shape (), but rows need one; reshape it: array.reshape(1) [DATA_UNSUPPORTED]",
  ],
  [
    table("wide-integer.npy"),
    "wide-integer.npy:2:2: the integer 1152921504606846976 is beyond 2^53, which a number column cannot hold exactly; save it as float64 [DATA_TYPE]",
  ],
  [
    table("infinite.npy"),
    'infinite.npy:2:2: "Infinity" is not a finite number in column "x1"; replace it, or make it NaN and impute [DATA_TYPE]',
  ],
  [
    table("truncated.npy"),
    "truncated.npy: the file stops 20 bytes short of the 96 that its shape needs; write or fetch it again [DATA_TRUNCATED]",
  ],
  [
    table("cut-header.npy"),
    "cut-header.npy: the file stops inside its header (30 of 118 bytes); write or fetch it again [DATA_TRUNCATED]",
  ],
  [
    ["nan.npy", () => ingest.readNpy(fixture("nan.npy"), { target: 1 })],
    'nan.npy:2:1: 1 value is missing in column "x0" (first "NaN"); fill them with impute: "mean", "median", "mode" or "level" (missing as a level of its own), drop the column, or remove these rows [DATA_MISSING]',
  ],
  [
    ["labels", () => ingest.readNpy(fixture("f8.npy"), { labels: fixture("f4.npy") })],
    "f4.npy: labels have the shape 3 × 2, but must be one value for each of the 3 rows of f8.npy; pass the matching array [DATA_RAGGED]",
  ],
  [
    table("parquet.parquet"),
    'parquet.parquet: the file begins with "a,b\\n", not with "PAR1", so it is not Parquet; pass its actual format [DATA_FORMAT]',
  ],
  [
    table("cut.parquet"),
    'cut.parquet: the file ends with "\\u0010\\u0000\\u0000\\u0000", not with "PAR1": it was cut short; write or fetch it again [DATA_TRUNCATED]',
  ],
];

const expected = cases.map(([[name, act], message, type = DataError]) => ({ name, act, message, type }));

test.each(expected)("$name: $message", async ({ act, message, type }) => {
  const error: unknown = await act().then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(type);
  const { message: text, code } = error as DataError;
  expect(text.replaceAll(fixture(""), "{fixtures}/").replaceAll(fixture("").slice(0, -1), "{fixtures}")).toBe(message);
  expect(message.endsWith(` [${code}]`)).toBe(true);
});
