/**
 * Computes the work of a plan's program from its description alone. A program that would run too long is refused before
 * it starts, because a call cannot be aborted.
 *
 * The unit is a multiply-add of a matrix product. Other operations count as the number of multiply-adds that take about
 * as long: ELEMENT (kernel-rules.ts) for an element that is read, written or goes through one operation; FUNCTION for
 * an element of a function such as exp, or SLOW for slower functions; CALL for a step or a round of a scan; ROUND for a
 * repeated call. At 3 GHz, one unit of work takes a core at most 0.3 ns. Every round and every element is counted, even
 * if the step does nothing, because the loops themselves take time.
 *
 * If the work exceeds the largest number, it is Infinity, which exceeds every finite maxWork.
 */
import type { PlanCall, PlanLoop, PlanProgram, PlanStep } from "../../engine/memory/array-plan.ts";
import { ELEMENT, touchedBy } from "./kernel-rules.ts";

const FUNCTION = 64;
const SLOW = 256;
const CALL = 512;
const ROUND = 4096;

/** Operations of a few instructions. */
export const PLAIN = new Set(
  "stopGradient add sub mul div neg square min max abs sign floor sqrt less lessEqual equal and or not where round".split(" "),
);

const SLOW_FUNCTIONS = new Set(["pow", "erf", "erfc", "lgamma", "digamma", "trigamma"]);

const workOfOperation = (name: string): number => (PLAIN.has(name) ? ELEMENT : SLOW_FUNCTIONS.has(name) ? SLOW : FUNCTION);

export function workOf(program: PlanProgram<number>, elementBytes: 4 | 8, where: string): number {
  const workOfStep = (step: PlanStep<number>): number => {
    if (step.kind === "zero") return CALL + program.values[step.value].size;
    if (step.kind === "loop") return workOfLoop(step);
    if (step.kind === "kernel") return step.calls.reduce((sum, call) => sum + workOfCall(call, elementBytes, where), 0);
    const moved = [...step.current, ...step.current, ...step.histories.filter((value) => value !== null)];
    const copied = moved.reduce((sum, value) => sum + CALL + program.values[value].size, 0);
    const pointed = CALL * (step.current.length + step.over.length + step.constants.length + step.outputs.length);
    return Math.max(1, step.length) * (CALL + workOf(step.body, elementBytes, where) + copied + pointed);
  };
  return program.steps.reduce((sum, step) => sum + workOfStep(step), 0);
}

/**
 * Work of a loop. A loop processes the last two axes in tiles. An operation must be decoded and started once per tile.
 */
function workOfLoop({ shape, loads, constants, operations, stores, reductions }: PlanLoop<number>): number {
  const elements = shape.reduce((product, extent) => product * Math.max(1, extent), 1);
  const tiles = shape.slice(0, -2).reduce((product, extent) => product * Math.max(1, extent), 1);
  const accesses = loads.length + stores.length + reductions.length;
  const each = operations.reduce((sum, [name]) => sum + workOfOperation(name), ELEMENT * accesses);
  const sizes = reductions.reduce((sum, { size }) => sum + size, 0);
  const counted = Math.max(1, each);
  return CALL + 256 * constants.length + elements * counted + tiles * CALL + 16 * tiles * counted + ELEMENT * sizes;
}

function workOfCall(call: PlanCall<number>, elementBytes: 4 | 8, where: string): number {
  const rounds = call.repeat.reduce((product, { count }) => product * Math.max(1, count), 1);
  return rounds * ((rounds > 1 ? ROUND : CALL) + touchedBy(call, elementBytes, where).work);
}
