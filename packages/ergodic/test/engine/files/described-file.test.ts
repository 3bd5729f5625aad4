/** Self-describing files: versions, checksums, nesting depth, and refused files. */
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/engine/contract/index.ts";
import {
  checksumOf,
  decodeDescribed,
  encodeDescribed,
  FILE_VERSION,
  type FileFormat,
} from "../../../src/engine/files/described-file.ts";
import { PACKED } from "../../../src/engine/files/packed.ts";
import { decode, encode, type Tensor } from "../../../src/engine/files/safetensors.ts";

const FORMAT: FileFormat = { format: "a format", versionName: "some version", stranger: "is a stranger", codes: "SOME" };
const tensors: Record<string, Tensor> = {
  b: { shape: [2, 1], values: Float32Array.of(1, -2) },
  a: { shape: [3], values: Uint8Array.of(7, 8, 9) },
};
const written = (description: JsonObject): Uint8Array => encodeDescribed(FORMAT, { kind: "mine" }, description, tensors);
const read = (bytes: Uint8Array) => decodeDescribed(bytes, "f.st", FORMAT);
/** The same file with other metadata. Undefined removes an entry. */
const changed = (bytes: Uint8Array, change: Record<string, string | undefined>, others = {}): Uint8Array => {
  const { tensors: all, metadata } = decode(bytes);
  const entries = Object.entries({ ...metadata, ...change }).filter(([, value]) => value !== undefined);
  return encode({ ...all, ...others }, Object.fromEntries(entries) as Record<string, string>);
};
const caught = (act: () => unknown): Error => {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it was taken");
};
const long = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, k) => [`l${k}`, Array.from({ length: 4096 }, (_, i) => i + k)]));

it("reads back metadata, description, and tensors except those of packed lists", () => {
  for (const count of [0, 1, 2]) {
    const given = { name: "é", inner: { list: [1, null] }, ...long(count) };
    const file = read(written(given));
    expect(file.describe()).toEqual(given);
    expect(file.tensors).toEqual(tensors);
    expect(file.metadata).toMatchObject({ format: "a format", kind: "mine" });
    file.verify();
    // The version tells readers without support for lists to refuse the file, even for a single list.
    expect(file.metadata.version).toBe(count === 0 ? "1" : "2");
    expect(Object.keys(decode(written(given)).tensors).filter((name) => name.startsWith(PACKED))).toHaveLength(count);
  }
  expect(FILE_VERSION).toBe(2);
});

it("restores lists however their marks are escaped, and reports invalid marks", () => {
  const given = long(1);
  const { description } = decode(written(given)).metadata;
  expect(description).toContain('{"packed":');
  for (const spelt of ['{"\\u0070acked":', '{ "packed" :'])
    expect(read(changed(written(given), { description: description.replace('{"packed":', spelt) })).describe()).toEqual(given);
  const other = changed(written({}), { description: '{"a":{"packed":"boxes"}}' });
  expect(() => read(other).describe()).toThrow('has a list with the unknown packing "boxes"; the file is damaged');
});

describe("checksums of described files", () => {
  it("cover names, types, shapes and bytes, but not tensor order or surrounding memory", () => {
    const sum = checksumOf(tensors);
    expect(sum).toMatch(/^murmur3:[0-9a-f]{8}$/);
    expect(checksumOf({ a: tensors.a, b: tensors.b })).toBe(sum);
    const inside = Uint8Array.of(1, 7, 8, 9, 1).subarray(1, 4);
    expect(checksumOf({ ...tensors, a: { shape: [3], values: inside } })).toBe(sum);
    const others: Record<string, Tensor>[] = [
      { a: tensors.a },
      { ...tensors, c: { shape: [0], values: new Uint8Array(0) } },
      { a: tensors.a, c: tensors.b },
      { ...tensors, b: { shape: [1, 2], values: tensors.b.values } },
      { ...tensors, b: { shape: [2], values: tensors.b.values } },
      { ...tensors, b: { shape: [2, 1], values: Float64Array.of(1, -2) } },
      { ...tensors, b: { shape: [2, 1], values: Float32Array.of(-2, 1) } },
      { ...tensors, a: { shape: [3], values: Uint8Array.of(7, 8, 8) } },
    ];
    expect(new Set([sum, ...others.map(checksumOf)]).size).toBe(others.length + 1);
  });

  it("detect changed numbers, also in lists, and are optional in older files", () => {
    const bytes = written(long(1));
    for (const name of ["a", `${PACKED}0`]) {
      const values = decode(bytes).tensors[name].values.slice() as Uint8Array;
      values[1] ^= 1;
      const shape = [values.length];
      const damaged = changed(bytes, {}, { [name]: { shape, values } });
      const message = /^f\.st: holds changed numbers: their checksum is murmur3:\w{8}, but was murmur3:\w{8};.*\[SOME_FORMAT\]$/;
      expect(() => read(damaged).verify()).toThrow(message);
      read(changed(damaged, { checksum: undefined })).verify();
    }
    expect(() => read(changed(bytes, { checksum: "" })).verify()).toThrow(/but was ;/);
  });
});

describe("versions of described files", () => {
  const bytes = written({});
  it.each(["1", "2", "0002"])("reads version %s", (version) => void read(changed(bytes, { version })));
  it.each(["3", "10", "999999999"])("refuses version %s of a later library", (version) => {
    const message = `f.st: has some version ${Number(version)}, but this library reads up to 2; update ergodic [SOME_VERSION]`;
    expect(() => read(changed(bytes, { version }))).toThrow(message);
  });
  it.each([undefined, "", "0", "-1", "1.5", "abc", "1e9", "9999999999", " 1"])("refuses %j as a version", (version) => {
    const shown = version === undefined ? "no version" : `version ${JSON.stringify(version)}`;
    expect(() => read(changed(bytes, { version }))).toThrow(`f.st: has ${shown}, but a whole number from 1 is wanted; `);
    expect(() => read(changed(bytes, { version }))).toThrow(/\[SOME_FORMAT\]$/);
  });
});

describe("refused files", () => {
  const bytes = written({});
  it("refuses another format before it checks the version", () => {
    for (const format of ["ergodic", "", undefined])
      expect(() => read(changed(bytes, { format, version: "99" }))).toThrow("f.st: is a stranger [SOME_FORMAT]");
  });

  it("refuses descriptions that are not JSON, not an object, or too deep", () => {
    const described = (description: string | undefined) => () => read(changed(bytes, { description })).describe();
    for (const text of [undefined, "", "{"])
      expect(described(text)).toThrow(
        "f.st: has a description that is not JSON; the file is damaged, write it again [SOME_FORMAT]",
      );
    expect(caught(described("{"))).toMatchObject({ code: "SOME_FORMAT", cause: expect.any(SyntaxError) });
    expect(Object.hasOwn(caught(described("[]")), "cause")).toBe(false);
    for (const text of ["[]", "null", "3", '"x"']) expect(described(text)).toThrow("has a description that is not an object");
    const deep = (levels: number): string => JSON.stringify({ d: nested(levels - 1) });
    const nested = (levels: number): Json =>
      levels === 0 ? 1 : levels % 2 === 0 ? [nested(levels - 1)] : { d: nested(levels - 1) };
    expect(described(deep(501))()).toEqual(JSON.parse(deep(501)));
    expect(described(deep(502))).toThrow("has a description that is nested more than 500 levels deep");
    for (const text of [`{"a":1,"b":${deep(502)},"c":1}`, `{"a":[1,${deep(502)}]}`])
      expect(described(text)).toThrow("has a description that is nested more than 500 levels deep");
    expect(described(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`)).toThrow(/is nested more than 500|is not JSON/);
  });
});
