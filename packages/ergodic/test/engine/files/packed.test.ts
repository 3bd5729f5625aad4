/** Long lists of a description are packed into tensors and restored unchanged. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/engine/contract/index.ts";
import { pack, unpack } from "../../../src/engine/files/packed.ts";
import type { Tensor } from "../../../src/engine/files/safetensors.ts";

const again = (json: JsonObject): Json => {
  const { description, tensors } = pack(json);
  return unpack(JSON.parse(JSON.stringify(description)), tensors, "file", "CODE");
};
const long = <T>(item: (i: number) => T): T[] => Array.from({ length: 4096 }, (_, i) => item(i));

describe("packed lists restored unchanged", () => {
  const lists: [string, Json[], number][] = [
    ["small whole numbers", long((i) => i % 200), 1],
    ["large whole numbers", long((i) => i * 1e5), 1],
    ...[2 ** 8, 2 ** 16, 2 ** 32].map((most): [string, Json[], number] => [
      `numbers up to ${most}`,
      long((i) => most - (i % 9)),
      1,
    ]),
    ["zeros of both signs", long((i) => (i % 2 === 0 ? 0 : -0)), 1],
    ["numbers", long((i) => (i - 7) / 3), 1],
    ["texts", long((i) => `naïve ☃ ${i} 😀`), 2],
    ["empty and leading texts", long((i) => (i % 2 === 0 ? "" : `\ufeff${i}`)), 2],
    ["few choices", long((i) => `level ${i % 255}`), 1],
    ["lists", long((i) => Array.from({ length: i % 3 }, (_, k) => `t${i} ${k}`)), 3],
    [
      "objects",
      long((i): Json => {
        if (i % 3 === 0) return { name: `n${i}`, kind: "category", levels: [`${i}`] };
        return { name: `n${i}`, kind: "number" };
      }),
      7,
    ],
    ["objects of which the first lacks a key", long((i): Json => (i % 3 === 1 ? { a: 1, b: 2, c: 3 } : { a: 1, c: i })), 4],
    ["mixed", long((i) => (i % 2 === 0 ? i : null)), 0],
    ["texts with half a pair", long((i) => `${i}\ud800`), 0],
    ["objects of other orders", long((i) => (i % 2 === 0 ? { a: 1, b: 2 } : { b: 2, a: 1 })), 0],
    ["objects of which the longest lacks a key", long((i): Json => (i % 2 === 0 ? { a: 1, b: 2 } : { c: 3, a: 1 })), 0],
    ["objects of which the longest lacks a last key", long((i): Json => (i % 2 === 0 ? { a: 1, b: 2 } : { a: 1, c: 3 })), 0],
    [
      "objects without a key in common",
      long((i): Json => {
        if (i % 2 === 0) return { a: 1 };
        return {};
      }),
      0,
    ],
  ];
  it.each(lists)("packs and restores %s", (_, list, count) => {
    const json = { before: 1, inner: { list }, after: "x" };
    const { description, tensors } = pack(json);
    expect(Object.keys(tensors).length).toBe(count);
    if (count > 0) expect(JSON.stringify(description).length).toBeLessThan(6000);
    // The order of keys is restored, too.
    expect(JSON.stringify(again(json))).toBe(JSON.stringify(json));
    // Zeros keep their sign, which the JSON text omits.
    expect(again(json)).toEqual(json);
  });

  it("restores any JSON, also with keys used by the format", () => {
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        fc.constantFrom(null, true, "packed", "texts", 0, -1.5),
        fc.array(tie("json"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("packed", "at", "lengths", "constructor", "__proto__", "7"), tie("json"), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        const given = JSON.parse(JSON.stringify({ value, list: long(() => value) }));
        expect(JSON.stringify(again(given))).toBe(JSON.stringify(given));
      }),
      { seed: 1, numRuns: 12 },
    );
  });
});

it("stores numbers in the smallest type that holds them all", () => {
  const types: [number, unknown][] = [
    [0, Uint8Array],
    [255, Uint8Array],
    [256, Uint16Array],
    [65_535, Uint16Array],
    [65_536, Uint32Array],
    [2 ** 32 - 1, Uint32Array],
    [2 ** 32, Float64Array],
    [-1, Float64Array],
    [-0, Float64Array],
    [0.5, Float64Array],
  ];
  for (const [most, type] of types) {
    // The largest number can be at any position.
    for (const place of [0, 4095]) {
      const { tensors } = pack({ list: long((i) => (i === place ? most : 0)) });
      expect(Object.values(tensors)[0].values.constructor, `${most}`).toBe(type);
    }
  }
});

it("packs lists from 4096 items on, and stores up to 256 different strings as choices", () => {
  const count = (list: Json[]): number => Object.keys(pack({ list }).tensors).length;
  expect([count(long((i) => i)), count(long((i) => i).slice(1))]).toEqual([1, 0]);
  const texts = (choices: number): Json[] => long((i) => `t${i % choices}`);
  expect([count(texts(256)), count(texts(257))]).toEqual([1, 2]);
  expect(again({ list: texts(256) })).toEqual({ list: texts(256) });
});

describe("refused packed lists", () => {
  const { description, tensors } = pack({ list: long((i) => `text ${i}`) });
  const [bytes, lengthsName] = Object.keys(tensors);
  const of =
    (list: Json, changed = {}): (() => Json) =>
    () =>
      unpack({ list }, { ...tensors, ...changed }, "file", "CODE");
  const own = description.list as JsonObject;
  const cases: [string, () => Json][] = [
    ["a tensor that is not there", of({ ...own, at: "description.9" })],
    ["a tensor of the model", of({ ...own, at: "weights" }, { weights: tensors[bytes] })],
    ["a name that is a prototype's", of({ ...own, at: "constructor" })],
    ["a way that is none", of({ packed: "constructor", at: bytes })],
    ["texts that are shorter than their lengths", of(own, { [bytes]: { shape: [3], values: Uint8Array.of(65, 65, 65) } })],
    ["lengths that are shorter than the texts", of(own, { [lengthsName]: { shape: [1], values: Uint8Array.of(3) } })],
    ["lengths that are none", of(own, { [lengthsName]: { shape: [1], values: Float64Array.of(-1) } })],
    ["bytes that are not UTF-8", of(own, { [bytes]: { shape: [1], values: Uint8Array.of(0xff) } })],
    ["a choice that is none", of({ packed: "choices", of: ["a"], at: bytes })],
    ["objects without end", of({ packed: "objects", count: 2 ** 53, columns: [{ key: "a", values: [1] }] })],
    [
      "objects with rows outside",
      of({
        packed: "objects",
        count: 1,
        columns: [
          { key: "b", values: [1] },
          { key: "a", values: [1], rows: [7] },
        ],
      }),
    ],
    [
      "objects with more rows than values",
      of({
        packed: "objects",
        count: 1,
        columns: [
          { key: "b", values: [1] },
          { key: "a", values: [], rows: [0] },
        ],
      }),
    ],
    [
      "objects with more values than rows",
      of({
        packed: "objects",
        count: 1,
        columns: [
          { key: "b", values: [1] },
          { key: "a", values: [1], rows: [] },
        ],
      }),
    ],
    ...["__proto__", "constructor", "length", "0"].map((row): [string, () => Json] => [
      `objects with the row "${row}"`,
      of({
        packed: "objects",
        count: 1,
        columns: [
          { key: "b", values: [1] },
          { key: "reached", values: [1], rows: [row] },
        ],
      }),
    ]),
    ["objects with a prototype", of({ packed: "objects", count: 1, columns: [{ key: "__proto__", values: [1] }] })],
    ["entries without keys", of({ packed: "object", entries: [[1, 2]] })],
  ];

  it("describes invalid content in the message", () => {
    const made = (values: Tensor["values"]): Tensor => ({ shape: [values.length], values });
    const texts = (at: number[], lengths: number[]) =>
      of(own, { [bytes]: made(Uint8Array.from(at)), [lengthsName]: made(Float64Array.from(lengths)) });
    const objects = (count: Json, ...columns: Json[]) => of({ packed: "objects", count, columns });
    const b = { key: "b", values: [1] };
    const told: [() => Json, string][] = [
      [texts([0xff, 0xff, 0xff], [3]), "text that is not UTF-8"],
      [of(own, { [bytes]: made(Float64Array.of(65)) }), "text that is not UTF-8"],
      [texts([65, 65], [3]), "parts of total length 3 instead of 2"],
      [texts([65, 65], [1]), "parts of total length 1 instead of 2"],
      [texts([65, 65], [-1, 3]), "an invalid length"],
      [texts([65, 65], [0.5, 1.5]), "an invalid length"],
      [of({ ...own, at: "description.9" }), 'a list in "description.9", which holds no numbers'],
      [
        of({ packed: "numbers", at: "description.b" }, { "description.b": made(BigInt64Array.of(1n)) }),
        'a list in "description.b", which holds no numbers',
      ],
      [
        of({ packed: "numbers", at: "description.b" }, { "description.b": made(BigUint64Array.of(1n)) }),
        'a list in "description.b", which holds no numbers',
      ],
      [of({ packed: "numbers", at: "x".repeat(90) }), `a list in "${"x".repeat(59)}, which holds no numbers`],
      [of({ packed: "numbers" }), "a list in undefined, which holds no numbers"],
      [of({ packed: "other" }), 'a list with the unknown packing "other"'],
      [of({ packed: "y".repeat(90) }), `a list with the unknown packing "${"y".repeat(59)};`],
      [of({ packed: "choices", of: ["a", 1], at: bytes }), "choices that are not strings"],
      [of({ packed: "choices", of: "a", at: bytes }), "choices that are not strings"],
      [
        of({ packed: "choices", of: ["a"], at: "description.c" }, { "description.c": made(Uint8Array.of(0, 1)) }),
        "the choice 1, but only 1 choices",
      ],
      [of({ packed: "lists", items: 3, lengths: [1] }), "a value that is not a list"],
      [of({ packed: "lists", lengths: [1] }), "a value that is not a list"],
      [of({ packed: "lists", items: [1, 2], lengths: [1] }), "parts of total length 1 instead of 2"],
      [objects(1), "objects without keys"],
      [of({ packed: "objects", count: 1, columns: "b" }), "objects without keys"],
      [objects(1, null), "a key that is not a string"],
      [objects(1, { key: 1, values: [1] }), "a key that is not a string"],
      [objects(2, b), "2 objects"],
      [objects("1", b), "1 objects"],
      [objects(1, { key: "b", values: [1], rows: [0] }), "1 objects"],
      [objects(1, b, { key: "k".repeat(90), values: [1], rows: [] }), `1 values of "${"k".repeat(60)}"`],
      [objects(1, b, { key: "c", values: [1, 2] }), '2 values of "c"'],
      [objects(1, b, { key: "k".repeat(90), values: [1], rows: [1] }), `an index for "${"k".repeat(60)}" outside of its list`],
      [objects(1, b, b), 'an index for "b" outside of its list'],
      [
        objects(2, { key: "b", values: [1, 2] }, { key: "c", values: [1, 2], rows: [0, 0] }),
        'an index for "c" outside of its list',
      ],
      [of({ packed: "object", entries: [["a", 1, 2]] }), "an entry without a key"],
      [of({ packed: "object", entries: [["a"]] }), "an entry without a key"],
      [of({ packed: "object", entries: ["ab"] }), "an entry without a key"],
      [of({ packed: "object", entries: 3 }), "a value that is not a list"],
    ];
    for (const [attempt, what] of told) expect(attempt, what).toThrow(`file: has ${what}`);
  });

  it.each(cases)("refuses %s", (_, attempt) => {
    expect(attempt).toThrow(/^file: has .*; the file is damaged, write it again \[CODE\]$/);
    // The content of a file cannot reach objects of this process.
    for (const shared of [Array.prototype, Array, Object.prototype]) expect("reached" in shared).toBe(false);
  });
});
