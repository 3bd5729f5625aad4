/**
 * Checks the start and the times as soon as their values are known. Constants are checked when they are written; times
 * in a model's data are checked while the model is traced (watch.ts).
 */
import { CompileError } from "../../../../errors/errors.ts";
import { interpret } from "../../interpret.ts";
import { userLine } from "../../position.ts";
import { arraysBelow, type SymbolicArray } from "../../symbolic.ts";

/**
 * Checks constant times.
 * @throws CompileError if times decrease, start before `from`, or are not finite
 */
export function checkTimes(from: SymbolicArray, times: SymbolicArray): void {
  checkFinite("from", from);
  const known = constantsOf([from, times]);
  if (!known) return;
  const [[start], numbers] = known;
  const wrong = firstWrongTime(start, numbers);
  if (wrong === undefined) return;
  throw new CompileError(
    "ode",
    `times[${wrong}] is ${numbers[wrong]}, but ${wantedTime(start, numbers, wrong)}${userLine()}`,
    "COMPILE_OPERAND",
  );
}

/**
 * Checks constants.
 * @throws CompileError if they are not finite
 */
export function checkFinite(name: string, array: SymbolicArray): void {
  const [numbers] = constantsOf([array]) ?? [];
  const wrong = numbers?.findIndex((x) => !Number.isFinite(x)) ?? -1;
  if (!numbers || wrong < 0) return;
  const place = array.rank === 0 ? name : `number ${wrong} of ${name}`;
  throw new CompileError("ode", `${place} is ${numbers[wrong]}, but must be finite${userLine()}`, "COMPILE_OPERAND");
}

/** Returns the values of the arrays, or undefined if an array depends on anything other than constants. */
function constantsOf(arrays: readonly SymbolicArray[]): Float64Array[] | undefined {
  const isOpen = ({ op }: SymbolicArray): boolean => op === "input" || op === "uniform" || op === "normal";
  return arraysBelow(arrays).some(isOpen) ? undefined : interpret(arrays, {});
}

/** Returns the index of the first time that is not finite or is less than its predecessor. */
export function firstWrongTime(start: number, times: ArrayLike<number>): number | undefined {
  for (let i = 0; i < times.length; i++) {
    const before = i === 0 ? start : times[i - 1];
    if (!(times[i] >= before && times[i] < Infinity)) return i;
  }
  return undefined;
}

/** Returns "must be finite and no less than times[2], which is 4; sort the times". */
export function wantedTime(start: number, times: ArrayLike<number>, wrong: number): string {
  return wrong === 0
    ? `must be finite and no less than ${start}, where the solution starts; sort the times, or set the start by from`
    : `must be finite and no less than times[${wrong - 1}], which is ${times[wrong - 1]}; sort the times`;
}
