/** Times are looked at where they are known, as indices are: constants where they are written, data of a model while it is traced (watch.ts). */
import { CompileError } from "../../../../base/errors.ts";
import { interpret } from "../../interpret.ts";
import { userLine } from "../../position.ts";
import { arraysBelow, type SymbolicArray } from "../../symbolic.ts";

/** @throws CompileError where constants decrease, or begin before `from` */
export function checkTimes(from: SymbolicArray, times: SymbolicArray): void {
  const isOpen = ({ op }: SymbolicArray): boolean => op === "input" || op === "uniform" || op === "normal";
  if (arraysBelow([from, times]).some(isOpen)) return;
  const [[start], numbers] = interpret([from, times], {});
  const wrong = firstWrongTime(start, numbers);
  if (wrong === undefined) return;
  throw new CompileError(
    "ode",
    `times[${wrong}] is ${numbers[wrong]}, but ${wantedTime(start, numbers, wrong)}${userLine()}`,
    "COMPILE_OPERAND",
  );
}

/** The place of the first that is not finite, or less than the one before it. */
export function firstWrongTime(start: number, times: ArrayLike<number>): number | undefined {
  for (let i = 0; i < times.length; i++) {
    const before = i === 0 ? start : times[i - 1];
    if (!(times[i] >= before && times[i] < Infinity)) return i;
  }
  return undefined;
}

/** "must be finite and no less than times[2], which is 4; sort the times" */
export function wantedTime(start: number, times: ArrayLike<number>, wrong: number): string {
  return wrong === 0
    ? `must be finite and no less than ${start}, where the solution starts; sort the times, or say where it starts by from`
    : `must be finite and no less than times[${wrong - 1}], which is ${times[wrong - 1]}; sort the times`;
}
