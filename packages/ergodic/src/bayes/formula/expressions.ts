/** Expressions of columns, evaluated row by row: log(x), I(x^2 / 2). */
import { exp, LN2_HIGH, LN2_LOW } from "../../engine/numbers/exp.ts";
import { log, log1p } from "../../engine/numbers/log.ts";
import { power } from "../../engine/numbers/power.ts";
import type { Node } from "./syntax.ts";

const LN2 = LN2_HIGH + LN2_LOW;
const LN10 = log(10);

const functions: Readonly<Record<string, (x: number) => number>> = {
  I: (x) => x,
  log,
  log1p,
  exp,
  log2: (x) => log(x) / LN2,
  log10: (x) => log(x) / LN10,
  sqrt: Math.sqrt,
  abs: Math.abs,
};

const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => (b === 2 ? a * a : power(a, b)),
};

/** Evaluates an expression. `numbers`: value of a column in the current row. */
export function evaluate(node: Node, numbers: (column: string) => number): number {
  switch (node.kind) {
    case "name":
      return numbers(node.name);
    case "number":
      return node.value;
    case "call":
      return functions[node.name](evaluate(node.given[0], numbers));
    case "unary":
      return node.operator === "-" ? -evaluate(node.operand, numbers) : evaluate(node.operand, numbers);
    case "binary":
      return operators[node.operator](evaluate(node.left, numbers), evaluate(node.right, numbers));
    default:
      return Number.NaN;
  }
}

/** Returns the names of the columns that an expression reads. */
export function columnsBelow(node: Node): string[] {
  switch (node.kind) {
    case "name":
      return [node.name];
    case "call":
      return node.given.flatMap(columnsBelow);
    case "unary":
      return columnsBelow(node.operand);
    case "binary":
      return [...columnsBelow(node.left), ...columnsBelow(node.right)];
    default:
      return [];
  }
}
