import { type Node, printed } from "./syntax.ts";

/** Functions of R that wrap a formula. */
const wrappers = new Set(["bf", "brmsformula", "lf", "formula", "mvbf", "as.formula"]);

/** Returns the error message for a formula that is not an equation, such as "x + z" or "bf(y ~ x)". */
export function withoutTilde(tree: Node, text: string): string {
  if (tree.kind !== "call" || !wrappers.has(tree.name))
    return `there is no "~"; write what is observed on its left, as in "y ~ ${text.trim()}"`;
  const [first] = tree.given;
  const own = first?.kind === "binary" && first.operator === "~" ? printed(first) : "y ~ x";
  return tree.given.length + tree.named.size > 1
    ? `${tree.name}() is not known, and only one formula is supported; write "${own}", or the whole model with model()`
    : `${tree.name}() is not known; write the formula alone, "${own}"`;
}
