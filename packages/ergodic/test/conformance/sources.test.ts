/**
 * What the library's sources may not use: `using`, which needs Symbol.dispose of the host (Safari has none), and arithmetic whose last digits
 * ECMAScript leaves to the engine, so that results would differ between hosts: `base/` has the same by +, −, ×, ÷ and √ alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const src = fileURLToPath(new URL("../../src/", import.meta.url));

/** ECMAScript defines these to the last bit; of the others of Math it says "an implementation-approximated value". */
const EXACT = new Set(
  "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs ceil clz32 floor fround imul max min round sign sqrt trunc".split(" "),
);
/** Where they reach no result: what is printed for people, names of temporary files, rounding at random where the caller gives no stream. */
const HARMLESS: Record<string, readonly string[]> = {
  "bayes/draws/plots.ts": ["cbrt"],
  "bayes/draws/summary-table.ts": ["log10"],
  "engine/files/partial.ts": ["random"],
  "engine/memory/room.ts": ["log2"],
  "predict/plan/kernel-rules.ts": ["log2"],
  "predict/plan/home.ts": ["log2"],
  "engine/data/features/hadamard.ts": ["log2"],
  "engine/compiler/evaluate.ts": ["random"],
};

/** Files without these need no parsing, which takes most of the time. */
const SUSPECT = new RegExp(`\\busing\\b|[^/]\\*\\*[^/]|\\bMath\\b(?!\\.(?:${[...EXACT].join("|")})\\b)`);

const literal = (node: ts.Expression): number | undefined => {
  if (ts.isParenthesizedExpression(node)) return literal(node.expression);
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken) {
    const value = literal(node.operand);
    return value === undefined ? undefined : -value;
  }
  return ts.isNumericLiteral(node) ? Number(node.text) : undefined;
};

/**
 * Squares are products and whole powers of 2 exact in every engine; all other powers depend on it. A name as the exponent of 2 is taken for a
 * whole number.
 */
function isExactPower(base: ts.Expression, exponent: ts.Expression): boolean {
  const [b, e] = [literal(base), literal(exponent)];
  if (b === 2) return e === undefined ? !ts.isBinaryExpression(exponent) : Number.isInteger(e);
  return e === 2;
}

function refused(path: string, text: string): string[] {
  if (!SUSPECT.test(text)) return [];
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const report = (node: ts.Node, what: string): void => {
    found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.Using) === ts.NodeFlags.Using) report(node, "using");
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      const isPower = kind === ts.SyntaxKind.AsteriskAsteriskToken || kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken;
      if (isPower && !isExactPower(node.left, node.right)) report(node, node.getText());
    }
    if (ts.isIdentifier(node) && node.text === "Math" && !ts.isImportTypeNode(node.parent)) {
      const { parent } = node;
      const member = ts.isPropertyAccessExpression(parent) && parent.expression === node ? parent.name.text : undefined;
      if (member === undefined) report(node, "Math as a value");
      else if (!EXACT.has(member) && !HARMLESS[path]?.includes(member)) report(node, `Math.${member}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test("no source uses `using` or arithmetic that depends on the engine", () => {
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  expect(paths.length).toBeGreaterThan(300);
  const all = paths.map((path) => path.replaceAll("\\", "/"));
  expect(all.flatMap((path) => refused(path, readFileSync(src + path, "utf8")))).toEqual([]);
  // A file that no longer needs its exception loses it.
  for (const [path, members] of Object.entries(HARMLESS))
    for (const member of members) expect(readFileSync(src + path, "utf8")).toContain(`Math.${member}`);
});

describe("the check itself", () => {
  test.each([
    ["using a = open();", ["using"]],
    ["async () => { await using a = open(); };", ["using"]],
    ["for (using a of b) a;", ["using"]],
    [
      "x ** y; x ** 0.5; x ** 3; x ** -1; 3 ** k; 2 ** 0.5; 2 ** (k / 2); x **= y;",
      ["x ** y", "x ** 0.5", "x ** 3", "x ** -1", "3 ** k", "2 ** 0.5", "x **= y"],
    ],
    [
      "Math.pow(x, 2); Math.exp(x); x.map(Math.log); Math['exp'](x); const { sin } = Math;",
      ["Math.pow", "Math.exp", "Math.log", "Math as a value", "Math as a value"],
    ],
    ["const a = open(); a ** 2; 2 ** 53; 2 ** -46; 2 ** bits; Math.sqrt(a) * Math.PI; // using b = Math.exp(x) ** y", []],
  ])("detects violations in: %s", (text, wanted) => {
    expect(refused("a.ts", text).map((line) => line.replace(/^a\.ts:1: /, ""))).toEqual(wanted);
  });
});
