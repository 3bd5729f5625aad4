/** Long lists of a description become tensors, and come back as they were. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pack, unpack } from "../../src/base/packed.ts";
import type { Json, JsonObject } from "../../src/contract.ts";

const again = (json: JsonObject): Json => {
  const { description, tensors } = pack(json);
  return unpack(JSON.parse(JSON.stringify(description)), tensors, "file", "CODE");
};
const long = <T>(item: (i: number) => T): T[] => Array.from({ length: 4096 }, (_, i) => item(i));

describe("come back as they were", () => {
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
  it.each(lists)("%s", (_, list, count) => {
    const json = { before: 1, inner: { list }, after: "x" };
    const { description, tensors } = pack(json);
    expect(Object.keys(tensors).length).toBe(count);
    if (count > 0) expect(JSON.stringify(description).length).toBeLessThan(6000);
    // The order of keys, too.
    expect(JSON.stringify(again(json))).toBe(JSON.stringify(json));
    // Zeros keep their sign, of which JSON's text says nothing.
    expect(again(json)).toEqual(json);
  });

  it("any JSON, with keys of ours too", () => {
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

describe("is refused", () => {
  const { description, tensors } = pack({ list: long((i) => `text ${i}`) });
  const [bytes, lengths] = Object.keys(tensors);
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
    ["lengths that are shorter than the texts", of(own, { [lengths]: { shape: [1], values: Uint8Array.of(3) } })],
    ["lengths that are none", of(own, { [lengths]: { shape: [1], values: Float64Array.of(-1) } })],
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
  it.each(cases)("%s", (_, attempt) => {
    expect(attempt).toThrow(/^file: has .*; the file is damaged, write it anew \[CODE\]$/);
    // Nothing of this process is reached by what a file says.
    for (const shared of [Array.prototype, Array, Object.prototype]) expect("reached" in shared).toBe(false);
  });
});
