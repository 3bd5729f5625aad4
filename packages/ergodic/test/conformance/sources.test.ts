/**
 * Features that the library's sources must not use. `using` needs Symbol.dispose, which Safari lacks. Some arithmetic
 * functions have last digits that ECMAScript leaves to the engine, so results would differ between hosts. `base/`
 * provides them using only +, −, ×, ÷ and √.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const src = fileURLToPath(new URL("../../src/", import.meta.url));

/**
 * Functions that ECMAScript defines to the last bit. For the others of Math it specifies "an
 * implementation-approximated value".
 */
const EXACT = new Set(
  "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs ceil clz32 floor fround imul max min round sign sqrt trunc".split(" "),
);
/**
 * Uses that affect no result: printed text, names of temporary files, and random rounding without a stream from the
 * caller.
 */
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

/** Files without these names need no parsing, which takes most of the time. */
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
 * Squares are products, and whole powers of 2 are exact in every engine. All other powers depend on the engine. A name
 * as the exponent of 2 is assumed to be a whole number.
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
  // A file that no longer needs its exception must lose it.
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
