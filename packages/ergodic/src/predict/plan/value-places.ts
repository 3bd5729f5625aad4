/**
 * Allocates the values of a plan's program. Values that are not live at the same time share memory. Also computes the
 * memory that a batch needs, so that the memory of a plan can be limited.
 *
 * @throws DataError for more live values than any network has
 */
import { DataError } from "../../engine/errors/errors.ts";
import { type PlanLoop, type PlanProgram, planTouched } from "../../engine/memory/array-plan.ts";
import { REGISTER_ELEMENTS } from "../../engine/memory/fields.ts";
import { touchedBy } from "./kernel-rules.ts";

const ALIGN = 64;
/**
 * Maximum number of places to examine. Examining this many places takes less than a second. Networks need only a few
 * places per value.
 */
const MOST_LOOKS = 2 ** 28;
export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

export interface Places {
  /** Offset in bytes of each workspace value that a step touches. */
  readonly at: ReadonlyMap<number, number>;
  readonly bytes: number;
}

/** Allocates by first fit, in the order in which values become live. */
export function placesOf({ values, steps }: PlanProgram<number>, elementBytes: number, where = "plan"): Places {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const [i, step] of steps.entries()) {
    const { reads, writes } = planTouched(step);
    for (const value of [...writes, ...reads]) {
      if (!first.has(value)) first.set(value, i);
      last.set(value, i);
    }
  }
  const at = new Map<number, number>();
  let bytes = 0;
  let looks = 0;
  let now = -1;
  /** Live values, sorted by address. */
  let live: { from: number; to: number; until: number }[] = [];
  for (const [value, begin] of first) {
    if (values[value].home.kind !== "workspace") continue;
    if (begin !== now) live = live.filter(({ until }) => until >= begin);
    now = begin;
    looks += live.length;
    if (looks > MOST_LOOKS)
      throw new DataError(
        where,
        `has a plan with ${live.length} values in use at the same time, which is too many`,
        "MODEL_WORK",
      );
    const size = aligned(values[value].size * elementBytes);
    let from = 0;
    let place = 0;
    for (; place < live.length && live[place].from - from < size; place++) from = Math.max(from, live[place].to);
    at.set(value, from);
    bytes = Math.max(bytes, from + size);
    live.splice(place, 0, { from, to: from + size, until: last.get(value)! });
  }
  return { at, bytes };
}

/** Yields a program and the programs of its scans, in the order in which they are prepared. */
export function* programsOf<N>(program: PlanProgram<N>): Generator<PlanProgram<N>> {
  yield program;
  for (const step of program.steps) if (step.kind === "scan") yield* programsOf(step.body);
}

/** Largest memory of a batch in bytes, excluding buffers but including the programs of scans. */
export interface BatchMemory {
  /** Bytes of intermediate values. */
  readonly workspace: number;
  /** Bytes of code, lists and tables. */
  readonly code: number;
  /** Bytes of scratch memory, which only one kernel uses at a time. */
  readonly scratch: number;
}

export function batchMemory(program: PlanProgram<number>, elementBytes: 4 | 8, where: string): BatchMemory {
  let [workspace, code, scratch] = [0, 0, 0];
  for (const part of programsOf(program)) {
    workspace += aligned(placesOf(part, elementBytes, where).bytes);
    code += aligned(4 * part.values.length);
    for (const step of part.steps) {
      if (step.kind === "loop") {
        const words = wordsOf(step);
        code += aligned(4 * words.code);
        scratch = Math.max(scratch, words.scratch * elementBytes);
      }
      if (step.kind !== "kernel") continue;
      for (const call of step.calls) {
        const lists = call.args.map((arg) => (arg.kind === "indices" || arg.kind === "numbers" ? 8 * arg.values.length : 0));
        code += lists.reduce((sum, list) => sum + aligned(list), 0);
        scratch = Math.max(scratch, touchedBy(call, elementBytes, where).scratchBytes);
      }
    }
  }
  return { workspace, code, scratch: aligned(scratch) };
}

/** Returns upper bounds for the result of elementwiseCode for a loop: words of code, and elements of scratch memory. */
function wordsOf({ shape, loads, constants, operations, stores, reductions }: PlanLoop<number>): {
  code: number;
  scratch: number;
} {
  const accesses = loads.length + stores.length + reductions.length;
  const registers = loads.length + constants.length + operations.length + stores.length;
  const sums = reductions.reduce((sum, { size }) => sum + size, 0);
  const record = 7 + Math.max(2, shape.length);
  return {
    code: 8 + record + accesses * record + 3 * constants.length + 5 * (operations.length + stores.length),
    scratch: registers * (REGISTER_ELEMENTS + 2) + 2 * (loads.length + record) + 2 * sums,
  };
}
