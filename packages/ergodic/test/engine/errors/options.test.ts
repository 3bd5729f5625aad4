/**
 * Option checks by declaration, kind by kind. Conformance tests see only the kinds that algorithms declare, and only
 * the values that they choose.
 */
import { describe, expect, it } from "vitest";
import { type Accepts, acceptedBy, checkOptions, declare } from "../../../src/engine/errors/options.ts";

const refused = (accepts: Accepts, value: unknown): string | undefined => {
  try {
    checkOptions("f", { a: value }, { options: { a: accepts } });
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
};

describe("checkOptions", () => {
  const kinds: [string, Accepts, accepted: unknown[], refused: unknown[]][] = [
    ["range", { low: 1, high: 3 }, [1, 2.5, 3], [0.999, 3.001, Number.NaN, "2", null, [2]]],
    ["open range", { low: 0, high: 1, open: true }, [1e-300, 1], [0, 1.5]],
    ["whole numbers", { low: 0, integer: true }, [0, 7], [0.5, -1]],
    ["choice", ["a", 2, true], ["a", 2, true], ["b", "2", 3, false, null]],
    ["choice or none", ["a", null], ["a", null], ["b", 0]],
    ["boolean", "boolean", [true, false], [0, 1, "true", null]],
    ["string", "string", ["", "x"], [5, null, ["x"]]],
    ["function", "function", [() => 1], [5, "f", null, {}]],
    ["list of numbers", { numbers: { low: 0 } }, [[0, 1], new Float64Array([2])], [[-1], ["1"], 5, null]],
    ["options", { options: { b: "boolean" } }, [{}, { b: true }], [{ b: 1 }, { c: true }]],
    ["options with a required one", { options: { b: "boolean" }, required: ["b"] }, [{ b: true }], [{}]],
    ["number or choice", { either: [["all"], { low: 0 }] }, ["all", 0, 5], [-1, "none", null]],
    ["none or a list", { either: [[null], { numbers: {} }] }, [null, [1]], [["1"], 5]],
    ["list or options", { either: [{ numbers: {} }, { options: { b: "boolean" } }] }, [[1], { b: false }], [["1"], { b: 1 }]],
    ["boolean or a function", { either: ["boolean", "function"] }, [true, () => 1], [5, "f"]],
    ["what the factory checks", "own", [5, "x", {}, () => 1], []],
  ];
  it.each(kinds)("checks %s", (_, accepts, fine, wrong) => {
    for (const value of fine) expect(refused(accepts, value)).toBeUndefined();
    for (const value of wrong) expect(refused(accepts, value), String(value)).toMatch(/^f(\.a)?: .* \[OPTION_/);
  });

  it("treats an undefined option as missing, and refuses it only if it is required", () => {
    expect(refused({ low: 1 }, undefined)).toBeUndefined();
    expect(() => checkOptions("f", {}, { options: { a: { low: 1 } }, required: ["a"] })).toThrow(/^f: a /);
    expect(() => checkOptions("f", { a: 1 }, { options: { a: { low: 1 } }, required: ["a"] })).not.toThrow();
  });

  it("names an unknown option, and its replacement in another factory", () => {
    expect(() => checkOptions("f", { b: 1 }, { options: { a: "own" } })).toThrow(/unknown option "b" \(known: a\)/);
    expect(() => checkOptions("f", { rate: 1 }, { options: { a: "own" }, absent: { rate: "write step: 1" } })).toThrow(
      /write step: 1/,
    );
  });
});

describe("declare", () => {
  const made = declare<{ a?: number; b?: string }, object>(
    { name: "thing", options: { a: { low: 0 }, b: "string" } },
    (options) => options,
  );

  it("passes on the given options without undefined values", () => {
    expect(made({ a: 1, b: undefined })).toEqual({ a: 1 });
    expect(Object.keys(made({ a: 1, b: undefined }))).toEqual(["a"]);
    expect(made()).toEqual({});
  });

  it("checks options before it calls the factory, uses the declared name, and carries its declaration", () => {
    expect(() => made({ a: -1 })).toThrow(/^thing: a is -1/);
    expect(made.declaration.name).toBe("thing");
  });
});

describe("acceptedBy", () => {
  it("infers types from defaults, ranges by name, and null as none", () => {
    const ranges = { size: { low: 1 }, kind: ["x", "y"], cap: { high: 9 } };
    expect(acceptedBy({ size: 3, other: 0.5, on: true, kind: "x", name: "z", cap: null, quiet: null }, ranges)).toEqual({
      size: { low: 1 },
      other: {},
      on: "boolean",
      kind: ["x", "y"],
      name: "string",
      cap: { either: [[null], { high: 9 }] },
      quiet: { either: [[null], "boolean"] },
    });
  });
});
