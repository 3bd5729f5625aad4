/** Reading the parts of a checkpoint: the bounds of each kind from both sides, and the messages for invalid values. */
import { describe, expect, it } from "vitest";
import type { Json, JsonObject, Snapshot, Tensor } from "../../../src/engine/contract/index.ts";
import { DataError } from "../../../src/engine/errors/errors.ts";
import { isFlag, isNumber, isText, isWhole, KeptPart } from "../../../src/engine/loop/kept-part.ts";

const part = (state: JsonObject, tensors: Snapshot["tensors"] = {}): KeptPart => new KeptPart("the run", { tensors, state });
const refusal = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).code).toBe("CHECKPOINT_FORMAT");
    return (error as DataError).said;
  }
  throw new Error("it was taken");
};

describe("numbers of a saved state", () => {
  it("accepts counts within their bounds, both ends included", () => {
    for (const value of [2, 3, 5]) expect(part({ value }).count("value", 2, 5)).toBe(value);
    for (const value of [1, 6, 2.5, -2, null, "3", true, [3]])
      expect(refusal(() => part({ value }).count("value", 2, 5))).toContain(
        `value is ${JSON.stringify(value)}, but must be a whole number from 2 to 5`,
      );
    expect(refusal(() => part({ value: -1 }).count("value"))).toContain("must be a whole number from 0;");
    expect(refusal(() => part({ value: 2 ** 53 }).count("value"))).toContain("must be a whole number from 0;");
    expect(part({ value: 2 ** 53 - 1 }).count("value")).toBe(2 ** 53 - 1);
  });

  it("accepts finite numbers not below the minimum", () => {
    for (const value of [-0.5, 0, 1e300]) expect(part({ value }).number("value", -0.5)).toBe(value);
    for (const value of [-0.6, null, "1", Infinity, Number.NaN])
      expect(refusal(() => part({ value }).number("value", -0.5))).toContain("but must be a number from -0.5");
    expect(refusal(() => part({ value: "1" }).number("value"))).toMatch(/value is "1", but must be a number;/);
  });

  it("reads null as the alternative number if one is given, but refuses a missing value", () => {
    expect(part({ value: null }).numberOr("value", Infinity)).toBe(Infinity);
    expect(part({ value: 3 }).numberOr("value", Infinity)).toBe(3);
    expect(refusal(() => part({}).numberOr("value", Infinity))).toContain("value is missing");
  });

  it("checks the kind of flags, choices, objects and lists", () => {
    expect(part({ value: false }).flag("value")).toBe(false);
    expect(refusal(() => part({ value: 0 }).flag("value"))).toContain("value is 0, but must be true or false");
    expect(part({ value: "b" }).choice("value", ["a", "b"])).toBe("b");
    expect(refusal(() => part({ value: "c" }).choice("value", ["a", "b"]))).toContain('value is "c", but must be one of a, b');
    expect(part({ value: { a: 1 } }).object("value")).toEqual({ a: 1 });
    for (const value of [[], null, 1]) expect(refusal(() => part({ value }).object("value"))).toContain("must be an object");
    expect(part({ value: [1, 2] }).list("value", isWhole, 2)).toEqual([1, 2]);
    expect(part({ value: [] }).list("value", isWhole)).toEqual([]);
    expect(refusal(() => part({ value: [1, 2, 3] }).list("value", isWhole, 2))).toContain("must be a list of 2");
    expect(refusal(() => part({ value: [1, -1] }).list("value", isWhole))).toContain("must be a list;");
    expect(refusal(() => part({ value: { length: 2 } }).list("value", isWhole, 2))).toContain("must be a list of 2");
  });

  it("ignores inherited properties", () => {
    for (const name of ["constructor", "toString", "__proto__"])
      expect(refusal(() => part({}).object(name))).toContain(`${name} is missing`);
  });

  it("shortens values in messages", () => {
    expect(refusal(() => part({ value: "x".repeat(1e5) }).count("value"))).toContain(`value is "${"x".repeat(59)}, but must be`);
    expect(refusal(() => part({ value: "x".repeat(58) }).count("value"))).toContain(`value is "${"x".repeat(58)}", but must be`);
  });

  it("refuses a state that is not an object immediately", () => {
    for (const state of [null, [], 1, "text"] as Json[])
      expect(refusal(() => part(state as JsonObject))).toContain("its state of the run does not fit: its state is missing");
  });
});

it("accepts lists of strings, finite numbers, flags and counts from 0", () => {
  const all: Json[] = ["a", 1.5, -1, 0, 2 ** 53, true, null, Number.NaN, Infinity];
  expect(all.filter(isText)).toEqual(["a"]);
  expect(all.filter(isNumber)).toEqual([1.5, -1, 0, 2 ** 53]);
  expect(all.filter(isFlag)).toEqual([true]);
  expect(all.filter(isWhole)).toEqual([0]);
});

describe("tensors of a saved state", () => {
  const kept = part({}, { x: Float64Array.of(1, 2), places: Uint32Array.of(0, 3, 1) });

  it("are returned without a copy if type and length match", () => {
    expect(kept.has("x")).toBe(true);
    expect(kept.has("constructor")).toBe(false);
    expect(kept.floats("x")).toBe(kept.tensors.x);
    expect(kept.floats("x", 2)).toBe(kept.tensors.x);
    for (const length of [0, 1, 3])
      expect(refusal(() => kept.floats("x", length))).toContain(`there are 2 numbers in "x", but ${length} are wanted`);
    expect(refusal(() => kept.tensor("x", Float32Array))).toContain('the numbers "x" are of type Float64Array');
    expect(refusal(() => kept.floats("y"))).toContain('the numbers "y" are missing');
  });

  it("have indices below their limit", () => {
    expect(kept.indices("places", 4, 3)).toBe(kept.tensors.places);
    expect(refusal(() => kept.indices("places", 3))).toContain('"places" holds the index 3, but must be below 3');
    expect(refusal(() => kept.indices("places", 4, 2))).toContain("2 are wanted");
    expect(part({}, { places: new Uint32Array(0) }).indices("places", 0)).toHaveLength(0);
  });

  it("are copied only into views of the same type and length", () => {
    const view = new Float64Array(2);
    kept.into(view, "x");
    expect([...view]).toEqual([1, 2]);
    for (const other of [new Float64Array(1), new Float64Array(3), new Float32Array(2)] as Tensor[])
      expect(refusal(() => kept.into(other, "x"))).toMatch(/numbers/);
  });

  it("can be selected as a part by a prefix of their names", () => {
    const whole = part({}, { "a.x": Float64Array.of(1), "ab.x": Float64Array.of(2), "ba.x": Float64Array.of(3) });
    const inner = whole.part("the part", "a.", { n: 1 });
    expect(inner.snapshot).toEqual({ tensors: { x: Float64Array.of(1) }, state: { n: 1 } });
    expect(whole.part("the part", "a.").state).toEqual({});
    expect(refusal(() => whole.part("the part", "a.", 5))).toContain("its state of the part does not fit");
    expect(refusal(() => inner.floats("y"))).toContain("its state of the part");
  });
});
