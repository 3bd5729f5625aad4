/** Times are looked at where they are known, as indices are: constants where they are written, data of a model while it is traced. */
import { CompileError } from "../../../../base/errors.ts";
import { interpret } from "../../interpret.ts";
import { userLine } from "../../position.ts";
import { arraysBelow, type SymbolicArray } from "../../symbolic.ts";

/** @throws CompileError where constants decrease, or begin before `from` */
export function checkTimes(from: SymbolicArray, times: SymbolicArray): void {
  const isOpen = ({ op }: SymbolicArray): boolean => op === "input" || op === "uniform" || op === "normal";
  if (arraysBelow([from, times]).some(isOpen)) return;
  const [[start], numbers] = interpret([from, times], {});
  let before = start;
  for (const [i, time] of numbers.entries()) {
    if (!(time >= before && time < Infinity))
      throw new CompileError(
        "ode",
        `times[${i}] is ${time}, but must be finite and ${i === 0 ? `from ${before} on, where the solution starts` : `no less than times[${i - 1}], which is ${before}`}; sort the times${i === 0 ? ", or say from" : ""}${userLine()}`,
        "COMPILE_OPERAND",
      );
    before = time;
  }
}
