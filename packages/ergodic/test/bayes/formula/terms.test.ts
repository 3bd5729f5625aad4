import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../../src/bayes/formula/expressions.ts";
import { type Node, parse, printed } from "../../../src/bayes/formula/syntax.ts";
import { readFormula } from "../../../src/bayes/formula/terms.ts";

/** Terms of the right side, with "1" for the intercept. */
function termsOf(right: string): string[] {
  const { intercept, terms } = readFormula(`y ~ ${right}`);
  return [...(intercept ? ["1"] : []), ...terms.map(({ label }) => label)];
}

describe("a formula's terms", () => {
  it.each([
    ["x", "1 x"],
    ["1", "1"],
    ["0", ""],
    ["-1 + x", "x"],
    ["x - 1", "x"],
    ["0 + x", "x"],
    ["x + 0", "x"],
    ["1 + x", "1 x"],
    ["x + z + x", "1 x z"],
    ["x:z", "1 x:z"],
    ["x*z", "1 x z x:z"],
    ["x:x", "1 x"],
    ["z:x + x:z", "1 z:x"],
    ["x:z + x", "1 x x:z"],
    ["a*b*c", "1 a b c a:b a:c b:c a:b:c"],
    ["(a + b):c", "1 a:c b:c"],
    ["(a + b + c)^2", "1 a b c a:b a:c b:c"],
    ["(a + b)**2", "1 a b a:b"],
    ["a/b", "1 a a:b"],
    ["(a + b)/c", "1 a b a:b:c"],
    ["a*b:c", "1 a b:c a:b:c"],
    ["a:b:c + a", "1 a a:b:c"],
    ["log(x) + I(x ^ 2 / 2)", "1 log(x) I(x^2/2)"],
    ["factor(x):z", "1 factor(x):z"],
    ["`a b` + x.1 + _z + größe", "1 a b x.1 _z größe"],
    ["((x))", "1 x"],
    ["+x", "1 x"],
  ])("are expanded for %s", (right, wanted) => {
    expect(termsOf(right).join(" ")).toBe(wanted);
  });

  it("state what varies by group, by which groups and with which correlation", () => {
    const { groups, terms } = readFormula("y ~ x + (1 + x | g) + (0 + z || h) + (1 | a / b) + (x:z | c:d) + (factor(x) - 1 | g)");
    expect(terms.map(({ label }) => label)).toEqual(["x"]);
    expect(groups.map((g) => [g.label, g.columns, g.intercept, g.terms.map(({ label }) => label), g.correlated])).toEqual([
      ["g", ["g"], true, ["x"], true],
      ["h", ["h"], false, ["z"], false],
      ["a", ["a"], true, [], true],
      ["a:b", ["a", "b"], true, [], true],
      ["c:d", ["c", "d"], true, ["x:z"], true],
      ["g", ["g"], false, ["factor(x)"], true],
    ]);
    expect(groups[0].text).toBe("(1 + x | g)");
  });

  it("omit the intercept of a group or of the formula without affecting the other", () => {
    expect(readFormula("y ~ x + (0 + x | g)").intercept).toBe(true);
    const { intercept, groups } = readFormula("y ~ 0 + x + (x | g)");
    expect([intercept, groups[0].intercept]).toEqual([false, true]);
    expect(readFormula("y ~ (0 + x | g) + 0 + x").intercept).toBe(false);
  });

  it("separate smooths, offsets and trials", () => {
    const read = readFormula("y | trials(n) ~ s(x) + s(log(z), k = 5) + offset(log(w)) + offset(v)");
    expect(read.trials?.label).toBe("n");
    expect(read.response.label).toBe("y");
    expect(read.smooths.map(({ label, dimension }) => [label, dimension])).toEqual([
      ["s(x)", 10],
      ["s(log(z))", 5],
    ]);
    expect(read.offsets.map(({ label }) => label)).toEqual(["log(w)", "v"]);
    expect(read.terms).toEqual([]);
  });

  it("can have an expression as the response", () => {
    expect(readFormula("log(y) ~ x").response.label).toBe("log(y)");
  });
});

describe("the text of a formula", () => {
  const leaf = fc.oneof(
    fc.constantFrom<Node>(...["x", "z", "größe"].map((name): Node => ({ kind: "name", name, start: 0, end: 0 }))),
    fc.integer({ min: 0, max: 99 }).map((value): Node => ({ kind: "number", value, start: 0, end: 0 })),
  );
  const { tree } = fc.letrec<{ tree: Node }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc
        .tuple(fc.constantFrom("+", "-", "*", "/", ":", "^", "|", "||", "~"), tie("tree"), tie("tree"))
        .map(([operator, left, right]) => ({ kind: "binary", operator, left, right, start: 0, end: 0 }) as Node),
      fc
        .tuple(fc.constantFrom("+", "-"), tie("tree"))
        .map(([operator, operand]) => ({ kind: "unary", operator, operand, start: 0, end: 0 }) as Node),
      fc
        .tuple(fc.constantFrom("s", "log"), tie("tree"))
        .map(([name, inner]) => ({ kind: "call", name, given: [inner], named: new Map(), start: 0, end: 0 }) as Node),
    ),
  }));
  const bare = (node: Node): unknown =>
    JSON.parse(JSON.stringify(node, (key, value) => (key === "start" || key === "end" || key === "named" ? undefined : value)));

  it("is parsed to the tree that it was printed from", () => {
    fc.assert(
      fc.property(tree, (node) => {
        expect(bare(parse(printed(node)))).toEqual(bare(node));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("gives a tree or an error with a position for any input", () => {
    const pieces = fc.constantFrom(
      "y",
      "~",
      "x",
      "+",
      "-",
      "*",
      ":",
      "(",
      ")",
      "|",
      "||",
      "1",
      "0",
      "s(",
      ",",
      "k",
      "=",
      "^",
      "2",
      " ",
      "/",
      "`",
      '"',
      "%",
      "log(",
      "offset(",
      "é",
      "😀",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const text = parts.join("");
        try {
          readFormula(text);
        } catch (error) {
          expect((error as Error).name).toBe("OptionError");
          expect((error as Error).message).toMatch(/^formula ".*": at (its end|place \d+): .*\[FORMULA_(SYNTAX|TERM)\]$/su);
        }
      }),
      { numRuns: 4000, seed: 1 },
    );
  });

  it("keeps the positions of its parts", () => {
    const text = " y ~ abc + log( x )";
    const node = parse(text) as Node & { kind: "binary" };
    const right = node.right as Node & { kind: "binary" };
    const part = ({ start, end }: Node): string => text.slice(start, end);
    expect([node.left, right.left, right.right].map(part)).toEqual(["y", "abc", "log( x )"]);
  });
});

describe("expressions", () => {
  const value = (text: string, x = 3): number => evaluate(parse(text), () => x);
  it.each([
    ["I(x^2 + 1)", 10],
    ["I(-x)", -3],
    ["I(-x^2)", -9],
    ["I(2^3^2)", 512],
    ["I((x - 1) / 2 * 4)", 4],
    ["I(+x)", 3],
    ["sqrt(x * 3)", 3],
    ["abs(I(-x))", 3],
    ["I(x^0.5)", Math.sqrt(3)],
    ["log(exp(x))", 3],
    ["log2(I(x + 5))", 3],
    ["log10(I(x + 97))", 2],
    ["log1p(I(x - 3))", 0],
    ["I(x^-1)", 1 / 3],
  ])("%s", (text, wanted) => {
    expect(value(text)).toBeCloseTo(wanted, 14);
  });
});
