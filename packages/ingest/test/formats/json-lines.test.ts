/** JSON lines: types, absent keys, late columns, and numbers that become text. */
import { describe, expect, test } from "vitest";
import { blocks, readJsonLines, readTable } from "../../src/index.ts";
import { cells, cutAt } from "../writers.ts";

const stream = (text: string, cuts: number[] = []) => cutAt(new TextEncoder().encode(text), cuts);
const read = (text: string, options = {}) => readTable(stream(text, [5, 17, 18]), { format: "jsonl", ...options });

test("reads numbers, texts, Booleans, null, absent and late keys, blank lines, CRLF and a byte order mark", async () => {
  const table = await read('\ufeff{"a": 1, "b": "x", "c": true}\r\n\n{"b": null, "a": -2.5e3, "d": 4}\n{"c": false, "a": null}');
  expect(table.columns.map(({ name, kind }) => `${name} ${kind}`)).toEqual(["a number", "b category", "c category", "d number"]);
  expect(cells(table)).toEqual([
    [1, -2500, null],
    ["x", null, null],
    ["true", null, "false"],
    [null, 4, null],
  ]);
});

test("preserves numeric texts as text, and turns mixed columns into text, also from a stream", async () => {
  const table = await read('{"zip": "01", "code": 1}\n{"zip": "02", "code": "x"}\n{"zip": "1", "code": 7}');
  expect(cells(table)).toEqual([
    ["01", "02", "1"],
    ["1", "x", "7"],
  ]);
  expect(cells(await read('{"n": "12"}', { types: { n: "number" } }))).toEqual([[12]]);
});

test("accepts names of JavaScript's object properties and decodes escapes", async () => {
  const table = await read('{"__proto__": 1, "constructor": 2, "toString": "\\u00e9\\n"}');
  expect(table.columns.map(({ name }) => name)).toEqual(["__proto__", "constructor", "toString"]);
  expect(cells(table)).toEqual([[1], [2], ["é\n"]]);
});

test("can drop nested values", async () => {
  expect(cells(await read('{"a": 1, "b": [1, 2]}', { drop: ["b"] }))).toEqual([[1]]);
});

test("uses the types and levels of the first block for all blocks of a stream", async () => {
  const collect = async (text: string, options = {}) => {
    const parts = [];
    for await (const block of blocks(stream(text), { format: "jsonl", rows: 2, ...options })) parts.push(cells(block));
    return parts;
  };
  expect(await collect('{"a": 1}\n{"a": 2}\n{"a": 3}')).toEqual([[[1, 2]], [[3]]]);
  await expect(collect('{"a": 1}\n{"a": 2}\n{"a": "x"}')).rejects.toThrow('stream:3:1: "x" is not a number in column "a"');
  await expect(collect('{"a": "u"}\n{"a": "v"}\n{"a": "w"}')).rejects.toThrow(
    'stream:3:1: "w" is not a level of column "a" ("u", "v")',
  );
  expect(await collect('{"a": "u"}\n{"a": "v"}\n{"a": "w"}', { types: { a: ["w", "v", "u"] } })).toEqual([[["u", "v"]], [["w"]]]);
});

test("includes all columns from the first block on", async () => {
  const collect = async (source: Parameters<typeof blocks>[0], options = {}) => {
    const parts = [];
    for await (const block of blocks(source, { format: "jsonl", rows: 2, ...options }))
      parts.push([block.columns.map(({ name }) => name), cells(block)]);
    return parts;
  };
  const text = '{"a": 1}\n{"a": 2}\n{"a": 3, "b": 4}\n';
  const wanted = [
    [
      ["a", "b"],
      [
        [1, 2],
        [null, null],
      ],
    ],
    [
      ["a", "b"],
      [[3], [4]],
    ],
  ];
  expect(await collect(text)).toEqual(wanted);
  await expect(collect(stream(text))).rejects.toThrow(
    'stream:3:1: the column "b" was not among the first rows, which set the schema; declare it from the start: types: { "b": "number" }, or drop it [DATA_COLUMN]',
  );
  expect(await collect(stream(text), { types: { b: "number" } })).toEqual(wanted);
  expect(await collect(stream(text), { drop: ["b"] })).toEqual([
    [["a"], [[1, 2]]],
    [["a"], [[3]]],
  ]);
});

test("makes a dataset", async () => {
  using data = await readJsonLines('{"x": 1, "y": "no"}\n{"x": 2, "y": "yes"}\n', { target: "y" });
  expect(data.target.levels).toEqual(["no", "yes"]);
});

test.each(["", " ", "\t ", "\r  "])(
  "reports the place and the expected token in a malformed line, with blanks %j between tokens",
  async (blank) => {
    const line = ["{", '"a"', ":", "1", ",", '"b"', ":", "null", "}"];
    const name = "a name in double quotes";
    const value = "a value (a missing one is null; NaN and Infinity are not JSON)";
    const wanted = ['"{"', name, '":"', value, '"," or "}"', name, '":"', value, '"," or "}"'];
    for (const [k, what] of wanted.entries()) {
      const before = line.slice(0, k).map((token) => blank + token);
      const rest = ["?", ...line.slice(k + 1)].join(blank);
      const text = `${before.join("")}${blank}${rest}`;
      const place = text.length - rest.length + 1;
      await expect(readTable({ content: `{"a": 1}\n${text}\n`, name: "a.jsonl" })).rejects.toThrow(
        new RegExp(`^a\\.jsonl:2:${place}: found ["']\\?.*, but wanted ${what.replace(/[{}()]/g, "\\$&")}; `),
      );
      await expect(readTable({ content: `{"a": 1}\n${before.join("") || blank}x`, name: "a.jsonl" })).rejects.toThrow(
        /^a\.jsonl:2:/,
      );
    }
    const whole = line.map((token) => blank + token).join("");
    for (const [more, what] of [
      ["?", "nothing more"],
      ["}", "nothing more"],
    ])
      await expect(readTable({ content: `${whole}${blank}${more}\n`, name: "a.jsonl" })).rejects.toThrow(
        `a.jsonl:1:${whole.length + blank.length + 1}: found "${more}", but wanted ${what}`,
      );
    for (const [nested, what] of [
      ['{"x": 1}', "an object"],
      ["[1]", "an array"],
    ])
      await expect(readTable({ content: `${blank}{${blank}"a"${blank}:${blank}${nested}}\n`, name: "a.jsonl" })).rejects.toThrow(
        `a.jsonl:1:${6 + 4 * blank.length}: the value of "a" is ${what}`,
      );
  },
);

describe("arrays of objects", () => {
  const rows = [
    { a: 1, "b{": 'x"]},\\' },
    { a: null, "b{": "[{", c: true },
    { a: -2.5, "b{": "é\n" },
  ];
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  const forms = [
    JSON.stringify(rows),
    JSON.stringify(rows, null, 2),
    `\ufeff \r\n[\r\n${lines.replaceAll("\n", ",\r\n")}\r\n]\r\n`,
    `[${lines.replaceAll("\n", "\n,")} ]\n\n`,
  ];

  test("give the same table as their objects in lines, wherever the bytes are cut", async () => {
    const expected = cells(await read(lines));
    for (const form of forms) {
      const bytes = new TextEncoder().encode(form);
      for (let cut = 1; cut < bytes.length; cut++)
        expect(cells(await readTable(cutAt(bytes, [cut]), { format: "jsonl" }))).toEqual(expected);
    }
  });

  test("are recognised by extension and by content, and read in blocks", async () => {
    for (const content of forms) {
      expect((await readTable({ content, name: "a.json" })).rowCount).toBe(3);
      const parts = [];
      for await (const block of blocks({ content, name: "a" }, { rows: 2 })) parts.push(block.rowCount);
      expect(parts).toEqual([2, 1]);
    }
    using data = await readJsonLines(forms[1], { target: "b{", drop: ["c"], impute: "mean" });
    expect(data.rowCount).toBe(3);
  });

  test.each([
    ["[]", "text: the file is empty; a table needs at least one row"],
    ['[{"a": 1}', 'text:2:1: the file ends, but wanted "," or "]"; is it complete?'],
    ['[\n{"a": 1,\n', "text:2:1: the file ends, but wanted the end of an object; is it complete?"],
    ['[{"a": 1},\n 2]', 'text:2:2: found "2]", but wanted an object; each element must be one object'],
    ['[{"a": 1},]', 'text:1:11: found "]", but wanted an object;'],
    ['[{"a": 1} {"a": 2}]', 'text:1:11: found \'{"a": 2}]\', but wanted "," or "]";'],
    ['[{"a": 1}]\n{"a": 2}', "text:2:1: found '{\"a\": 2}', but wanted nothing more;"],
    ["[[1]]", 'text:1:2: found "[1]]", but wanted an object or "]";'],
    ['[\n  {\n    "a": 1,\n    "b": [2]\n  }\n]', 'text:4:10: the value of "b" is an array, "[2]'],
    ['[{"a": "x\n"}]', "text:1:8: found "],
    ['[{"a": 1, "a" 2}]', 'text:1:15: found "2}", but wanted ":"; each element must hold one whole JSON object'],
    ['{"a": 1}\n[{"a": 2}]', "text:2:1: '[{\"a\": 2}]' is not an object; each line must hold one"],
  ])("refuse %j with the place", async (text, message) => {
    await expect(readTable({ content: `${text}\n`, name: "text" }, { format: "jsonl" })).rejects.toThrow(message);
  });
});
