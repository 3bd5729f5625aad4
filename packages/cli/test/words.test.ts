/** Objects parsed from words on the command line, and numbers and tables formatted as text. */
import { adam, chain, cosineDecay, sgd } from "ergodic";
import { clipNorm } from "ergodic/rules";
import { describe, expect, it } from "vitest";
import { milliseconds, size } from "../src/options/number.ts";
import { parseSpec } from "../src/options/spec.ts";
import { parseClassWeights, parseFeatures, parseLoss, parseRule, parseVariance } from "../src/options/things.ts";
import { metricText } from "../src/report/metrics.ts";
import { bytes, clock, decimal, duration, json, short, significant } from "../src/report/numbers.ts";
import { beside, picture } from "../src/report/picture.ts";
import { pairs, table } from "../src/report/text-table.ts";
import { programName, quoted } from "../src/terminal.ts";

it("shortens the name of a class to one line of at most 30 characters", () => {
  const label = (positive: string): string => metricText("f1", 0.5, positive)[0];
  expect(label("a".repeat(30))).toBe(`F1 of class ${"a".repeat(30)}`);
  expect(label("the quick brown fox jumps over the lazy dog")).toBe("F1 of class the quick brown fox jumps ove…");
  expect(label("two\nlines")).toBe("F1 of class two lines");
});

describe("numbers with units", () => {
  it.each([
    ["512", 512],
    ["64K", 65_536],
    ["3m", 3_145_728],
    ["1G", 1_073_741_824],
  ])("parses %s as bytes", (text, bytes) => expect(size(text)).toBe(bytes));

  it.each([
    ["10ms", 10],
    ["2.5s", 2500],
    ["3m", 180_000],
    ["0", 0],
  ])("parses %s as a time", (text, ms) => expect(milliseconds(text)).toBe(ms));

  it.each(["", "0", "-1", "1.5K", "64KB", "K", "1T"])("refuses %j as a size", (text) => {
    expect(() => size(text)).toThrow("number of bytes: 512, 64K or 16M");
  });
});

describe("specs", () => {
  it("parses names, options, a main option and nested specs", () => {
    expect(parseSpec("--x", "adam")).toEqual({ name: "adam", options: {} });
    expect(parseSpec("--x", "adam:beta1=0.8, rate=1e-2,amsgrad=true")).toEqual({
      name: "adam",
      options: { beta1: 0.8, rate: 0.01, amsgrad: true },
    });
    expect(parseSpec("--x", "rff:2000,gamma=scale", "count")).toEqual({ name: "rff", options: { count: 2000, gamma: "scale" } });
    const nested = {
      name: "warmUp",
      options: { rate: { name: "cosineDecay", options: { rate: 0.1, updates: 10 } }, updates: 5 },
    };
    expect(parseSpec("--x", "warmUp:rate=cosineDecay(rate=0.1,updates=10),updates=5")).toEqual(nested);
  });

  it("refuses invalid specs", () => {
    for (const text of ["", "1adam", "adam:rate=1,rate=2", "adam:0.1", "a b"])
      expect(() => parseSpec("--x", text)).toThrow(/--x: .*\[USAGE\]/);
  });

  it("makes rules and chains and assigns their rates", () => {
    const asJson = (rule: unknown) => JSON.parse(JSON.stringify(rule)) as unknown;
    expect(parseRule(undefined, undefined, "adagrad")).toBeUndefined();
    expect(asJson(parseRule("adam:beta1=0.8", "0.5", "adagrad"))).toEqual(asJson(adam({ beta1: 0.8, rate: 0.5 })));
    expect(asJson(parseRule(undefined, "0.5", "sgd"))).toEqual(asJson(sgd({ rate: 0.5 })));
    const scheduled = chain(clipNorm({ norm: 10 }), sgd({ rate: cosineDecay({ rate: 0.1, updates: 100 }) }));
    expect(asJson(parseRule("clipNorm:norm=1e+1+sgd", "cosineDecay:rate=0.1,updates=100", "adagrad"))).toEqual(asJson(scheduled));
    expect(asJson(parseRule("clipNorm:norm=10+sgd:rate=cosineDecay(rate=0.1,updates=100)", undefined, "adagrad"))).toEqual(
      asJson(scheduled),
    );
  });

  it("makes losses, feature maps, variance reduction and class weights", () => {
    expect(parseLoss("huber:delta=2").options).toEqual({ delta: 2 });
    expect(parseFeatures("sorf:64,gamma=0.5", 7)).toMatchObject({ kind: "sorf", count: 64, gamma: 0.5, seed: 7 });
    expect(parseVariance("svrg:2")).toMatchObject({ name: "svrg", every: 2 });
    expect(() => parseVariance("saga:2")).toThrow(/saga: unknown option "every"/);
    expect(parseClassWeights("balanced")).toBe("balanced");
    expect(parseClassWeights("a=1,b=2.5")).toEqual({ a: 1, b: 2.5 });
  });
});

it("formats numbers for people", () => {
  expect([1234567, 999, 12345, 0.5].map(short)).toEqual(["1.23 M", "999", "12.3 k", "0.5"]);
  expect([0.5, 0, 0.00001234, 12345.6, Number.NaN].map(decimal)).toEqual(["0.5000", "0.0000", "1.23e-5", "12345.6", "–"]);
  expect([1 / 3, 12345.6, 1e-7, 5].map((x) => significant(x))).toEqual(["0.3333", "12346", "1.000e-7", "5"]);
  expect([0.0213, 5.04, 75, 3725].map(duration)).toEqual(["0.021 s", "5.0 s", "1:15", "1:02:05"]);
  expect(clock(59.6)).toBe("1:00");
  expect([12, 12_600].map(bytes)).toEqual(["12 B", "12.6 kB"]);
  expect(json({ a: Number.NaN, b: [1, -Infinity] })).toBe('{"a":null,"b":[1,null]}');
});

it("lays out columns, pairs and pictures", () => {
  expect(
    table(
      ["name", "n"],
      [
        ["a", "1"],
        ["long one", "20"],
      ],
    ),
  ).toBe("  name       n\n  a          1\n  long one  20\n");
  expect(
    pairs([
      ["a", "1"],
      ["bb", "2"],
    ]),
  ).toBe("  a   1\n  bb  2\n");
  expect(picture([0, 16, 8, 4], 2, 16)).toEqual(["  ██", "▒▒░░"]);
  expect(beside([["a", "b"], ["c"]], 2, "|")).toEqual(["a |c", "b |"]);
});

it("names the program as it was started and quotes arguments for a shell", () => {
  const name = (script: string, linked: boolean) => programName(script, "/home/a", "/bin:/usr/bin", () => linked);
  expect(name("/usr/bin/ergodic", false)).toBe("ergodic");
  expect(name("/home/a/node_modules/.bin/ergodic", true)).toBe("npx ergodic");
  expect(name("/home/a/packages/cli/dist/main.js", true)).toBe("npx ergodic");
  expect(name("/home/a/packages/cli/dist/main.js", false)).toBe("node packages/cli/dist/main.js");
  expect(name("/opt/cli/dist/main.js", true)).toBe("node /opt/cli/dist/main.js");
  expect([quoted("a.csv"), quoted("my file"), quoted("it's")]).toEqual(["a.csv", "'my file'", "'it'\\''s'"]);
});
