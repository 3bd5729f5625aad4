/** Checks of options: the accepted values, the refused values, and the messages. */
import { describe, expect, it } from "vitest";
import { checkValuesByName } from "../../../src/engine/data/values-by-name.ts";
import {
  checkBoolean,
  checkChoice,
  checkFunction,
  checkNamedJson,
  checkNumbers,
  checkOptionsJson,
  checkSignal,
  holds,
  isPlainObject,
  plain,
  refusedName,
} from "../../../src/engine/errors/checks.ts";
import { assert, checkKeys, checkNumber, saidBy } from "../../../src/engine/errors/errors.ts";
import { shown } from "../../../src/engine/errors/shown.ts";

describe("checkSignal", () => {
  it("accepts no signal, or a signal from any realm", () => {
    const { signal } = new AbortController();
    const other = { aborted: false, throwIfAborted() {}, addEventListener() {}, removeEventListener() {} };
    for (const given of [undefined, signal, AbortSignal.timeout(1), other]) expect(() => checkSignal("fit", given)).not.toThrow();
  });

  it("explains how to replace a controller or another value", () => {
    expect(() => checkSignal("fit", new AbortController())).toThrow(
      "fit: signal is of type AbortController, but must be the controller's AbortSignal: write signal: controller.signal [OPTION_TYPE]",
    );
    const like = { aborted: false, throwIfAborted() {}, addEventListener() {} };
    const lacking = Object.keys(like).map((name) => ({ ...like, [name]: undefined }));
    for (const given of [null, 5, "abort", {}, { signal: {} }, () => 1, ...lacking])
      expect(() => checkSignal("fit", given)).toThrow(
        /signal is .* must be an AbortSignal: write signal: controller\.signal, or .*timeout/,
      );
  });
});

describe("checkKeys", () => {
  it("refuses values that are not objects of options, and null as a value", () => {
    for (const given of [null, 5, "epochs", [], [1], new Map(), new Date(0), () => 1, Promise.resolve()])
      expect(() => checkKeys("fit", given as object, ["epochs", "until"])).toThrow(
        /^fit: .* but must be an object: \{ epochs, until \}/,
      );
    expect(() => checkKeys("fit", { until: null }, ["until"])).toThrow(
      "fit: until is null; leave it out to use the default [OPTION_TYPE]",
    );
    expect(() => checkKeys("fit", { until: null }, ["until"], { nullable: ["until"] })).not.toThrow();
    expect(() => checkKeys("fit", Object.create(null) as object, ["until"])).not.toThrow();
    expect(() => checkKeys("fit", new (class Settings {})(), ["until"])).not.toThrow();
  });

  it.each([
    ["max_tree_depth", ["maxTreeDepth"], "maxTreeDepth"],
    ["standardize", ["loss", "standardise"], "standardise"],
    ["centered", ["centred"], "centred"],
    ["lr", ["rate", "decay"], "rate"],
    ["learning_rate", ["rate"], "rate"],
    ["learningRate", ["rate"], "rate"],
    ["stepSize", ["rate"], "rate"],
    ["step_size", ["rate", "stepSize"], "stepSize"],
    ["lambda", ["l1", "l2"], "l2"],
    ["weight_decay", ["l2", "decay"], "decay"],
    ["batch_size", ["batch"], "batch"],
    ["iter", ["epochs"], "epochs"],
    ["iter", ["epochs", "draws"], "draws"],
  ])("suggests for %s, if %j are known: %s", (given, known, meant) =>
    expect(() => checkKeys("f", { [given]: 1 }, known)).toThrow(
      `f: unknown option "${given}"; did you mean "${meant}"? (known: ${known.join(", ")}) [OPTION_UNKNOWN]`,
    ),
  );

  it("explains options of other functions, however they are spelt", () => {
    const absent = { rate: "the rule has it", l2: "the model has it" };
    for (const given of ["rate", "Rate", "lr", "learning_rate"])
      expect(() => checkKeys("fit", { [given]: 1 }, ["rule"], { absent })).toThrow(
        `fit: ${given} is not an option of fit: the rule has it [OPTION_UNKNOWN]`,
      );
    expect(() => checkKeys("fit", { lambda: 1 }, ["rule"], { absent })).toThrow(
      "lambda is not an option of fit: the model has it",
    );
  });

  it.each(["constructor", "toString", "hasOwnProperty", "__proto__"])(
    "treats an option named %s as unknown, without side effects",
    (name) => {
      const options = JSON.parse(`{ "${name}": 1 }`) as object;
      expect(() => checkKeys("fit", options, ["epochs"])).toThrow(
        `fit: unknown option "${name}" (known: epochs) [OPTION_UNKNOWN]`,
      );
    },
  );
});

it("checkBoolean, checkChoice, checkFunction, checkNumbers, checkValuesByName and plain name the refused option", () => {
  expect(() => checkBoolean("linear", "intercept", "no")).toThrow(
    'linear: intercept is "no", but must be true or false [OPTION_TYPE]',
  );
  expect(() => checkBoolean("linear", "intercept", false)).not.toThrow();
  expect(() => checkChoice("fit", "precision", 64, ["f32", "f64", "i16"])).toThrow(
    'fit: precision is 64, but must be one of "f32", "f64", "i16" [OPTION_RANGE]',
  );
  expect(() => checkChoice("slice", "expansion", "none", ["stepOut", "doubling"])).toThrow(
    'but must be "stepOut" or "doubling" [',
  );
  expect(() => checkChoice("unit", "stride", 2, [1, 2])).not.toThrow();
  expect(() => checkFunction("tune", "make", 1, "a function", "() => 1")).toThrow(
    "tune: make is 1, but must be a function: write () => 1",
  );
  expect(() => checkNumbers("slice", "mean", [1, null])).toThrow("slice: mean[1] is null, but must be a number");
  expect(() => checkNumbers("slice", "mean", "12")).toThrow('slice: mean is "12", but must be a list of numbers');
  expect(() => checkNumbers("slice", "mean", Float64Array.of(1, 2), { low: 0 })).not.toThrow();
  expect(() => checkValuesByName("sample", { mu: 0, theta: [1, 2] })).not.toThrow();
  expect(() => checkValuesByName("sample", { mu: "0" })).toThrow('sample.start: mu is "0", but must be a number');
  expect(() => plain("dense", { units: 3 }, ["units"])).toThrow("units is given twice");
  expect(plain("dense", { name: "a" }, ["units"])).toEqual({ name: "a" });
});

it("shortens any value in messages", () => {
  const odd: [unknown, string][] = [
    [Symbol("s"), "Symbol(s)"],
    [5n, "5n"],
    [Object.create(null), "an object of nothing"],
    [{ constructor: 5 }, "an object of constructor"],
    [{ a: 1, b: 2 }, "an object of a, b"],
    ["x".repeat(100), `"${"x".repeat(60)}"`],
    [[1, 2, 3], "an array of 3"],
    [new Date(0), "of type Date"],
    [Object.assign(() => 1, { declaration: { name: "adam" } }), "the function adam, not called"],
    [Object.defineProperty(() => 1, "name", { value: Symbol("n") }), "the function make, not called"],
    [undefined, "undefined"],
    [-0, "0"],
  ];
  for (const [value, text] of odd) expect(shown(value)).toBe(text);
  expect(() => checkNumber("fit", "rate", Object.create(null))).toThrow(
    "fit: rate is an object of nothing, but must be a number",
  );
});

it("removes the request to report from assertion messages, also over several lines", () => {
  const failure = (message: string): unknown => {
    try {
      assert(false, message);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  expect(saidBy(failure("two parts"))).toBe("two parts");
  expect(saidBy(failure('the name "a\nb" is odd'))).toBe('the name "a\nb" is odd');
  expect(saidBy(new RangeError("please report it"))).toBe("please report it");
  expect(saidBy("thrown")).toBe("thrown");
});

describe("parsed JSON", () => {
  const odd = [undefined, null, 3, "text", true, [], [{ name: "a" }], () => ({})];

  it("checkNamedJson requires an object with a string for its name", () => {
    checkNamedJson("f", { name: "a" }, "name", "a rule");
    checkNamedJson("f", { kind: "" }, "kind", "a rule");
    for (const json of odd)
      expect(() => checkNamedJson("f", json, "name", "a rule"), String(json)).toThrow(
        /^f: the JSON is .*, but must be the object that toJSON\(\) of a rule gave \[JSON_TYPE\]$/,
      );
    for (const json of [{}, { name: 3 }, { name: ["a"] }, { Name: "a" }])
      expect(() => checkNamedJson("f", json, "name", "a rule")).toThrow(
        /^f: name of the JSON is .*, but must be the name of a rule, a string \[JSON_TYPE\]$/,
      );
  });

  it("checkOptionsJson requires an object", () => {
    for (const options of [{}, { a: 1 }]) checkOptionsJson("f", options);
    for (const options of odd)
      expect(() => checkOptionsJson("f", options), String(options)).toThrow(
        /^f: options of the JSON is .*, but must be an object of options by name \[JSON_TYPE\]$/,
      );
  });

  it("refusedName rejects inherited names, and holds finds only own members", () => {
    for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"])
      expect(refusedName(name)).toBe(`"${name}" is a name that every object has; give another`);
    for (const name of ["", "a", "length", "prototype"]) expect(refusedName(name)).toBeUndefined();
    expect([holds({ a: undefined }, "a"), holds(Object.create({ a: 1 }), "a"), holds({}, "a")]).toEqual([true, true, false]);
    for (const value of [null, undefined, "a", 3]) expect(holds(value, "length")).toBe(false);
    for (const value of [{}, Object.create(null), new (class A {})()]) expect(isPlainObject(value)).toBe(true);
    for (const value of odd) expect(isPlainObject(value)).toBe(false);
  });
});
