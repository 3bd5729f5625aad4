/**
 * Detects control flow that depends on data. Because a symbolic condition is an object, it always counts as true in
 * `if`, `while`, `&&` and `?:`. The sign of this mistake is a comparison that no operation uses as an argument.
 */
import { CompileError } from "../../errors/errors.ts";
import { userLine } from "./position.ts";
import type { SymbolicArray } from "./symbolic.ts";

const CONDITIONS = new Set(["less", "lessEqual", "equal", "and", "or", "not"]);
let watched: Map<SymbolicArray, { where: string; line: string }> | undefined;

export function noteUse(args: readonly SymbolicArray[]): void {
  if (watched) for (const arg of args) watched.delete(arg);
}

export function noteCondition(node: SymbolicArray, where: string): void {
  if (CONDITIONS.has(where)) watched?.set(node, { where, line: userLine() });
}

/**
 * Runs `trace`. Throws an error if `trace` made a comparison that no operation uses, because control flow then depends
 * on data.
 */
export function watchConditions<T>(trace: () => T, results: (made: T) => readonly SymbolicArray[]): T {
  const outer = watched;
  watched = new Map();
  try {
    const made = trace();
    noteUse(results(made));
    const [first] = watched.values();
    if (first)
      throw new CompileError(
        "trace",
        `the result of ${first.where}() is not used; a symbolic condition has no value while the program is traced, so if, while, && and ?: cannot test it: write where(condition, yes, no)${first.line}`,
        "COMPILE_CONTROL_FLOW",
      );
    return made;
  } finally {
    watched = outer;
  }
}
