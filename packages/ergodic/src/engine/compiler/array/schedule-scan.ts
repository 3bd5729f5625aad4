/** A scan as a step: its body is a program of its own, run once an element on buffers that the step moves along. */
import type { ArrayProgram, Lowered, ScanStep } from "./lowered.ts";
import type { Shape, SymbolicArray } from "./symbolic.ts";

/** When a loop of at most `length` steps ends: once its first carry is not above 0, which is looked at before each step. */
export interface ScanEnd {
  /**
   * What of the histories a step reads and writes. "kept": the place that the second carry says, so that a step which does not move it is written over by
   * the next. "counted": as many as the first carry says at the start, from the first to the last, or in reverse.
   */
  readonly place: "kept" | "counted";
  /** So many carries, the first ones, steer the loop: they have no derivative. */
  readonly control: number;
  /** What the derivative takes for the next carries behind these: those of a step that is kept. */
  readonly smooth?: readonly SymbolicArray[];
}

/** What operations/scan.ts keeps with its node. Leaves stand for one element of what is run over. */
export interface ScanAttributes {
  readonly end?: ScanEnd;
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: readonly SymbolicArray[];
  readonly over: readonly SymbolicArray[];
  readonly constants: readonly SymbolicArray[];
  readonly next: readonly SymbolicArray[];
  readonly outputs: readonly SymbolicArray[];
}

export interface ScanValues {
  /** The value of argument i, contiguous. */
  argument(index: number): number;
  /** The value of a part; where nobody takes it: scratch of `shape`, if given. */
  part(index: number, shape?: Shape): number | undefined;
  scratch(shape: Shape): number;
}

export function lowerScan(
  node: SymbolicArray,
  precision: "f32" | "f64",
  values: ScanValues,
  lower: (program: ArrayProgram) => Lowered,
): ScanStep {
  const { length, reverse, end, carries, over, constants, next, outputs } = node.attributes as ScanAttributes;
  const named = (leaves: readonly SymbolicArray[], kind: string): [string, { buffer: string; offset: number }][] =>
    leaves.map((leaf, i) => [String(leaf.attributes), { buffer: `${kind} ${i}`, offset: 0 }]);
  const body = lower({
    name: "scan",
    precision,
    inputs: Object.fromEntries([...named(carries, "carry"), ...named(over, "over"), ...named(constants, "constant")]),
    outputs: [
      ...next.map((value, i) => ({ value, buffer: `next ${i}`, offset: 0 })),
      ...outputs.map((value, i) => ({ value, buffer: `output ${i}`, offset: 0 })),
    ],
  });
  const first = carries.length;
  return {
    kind: "scan",
    length,
    reverse,
    ...(end && { end: end.place }),
    body,
    carries: carries.map((_, i) => values.argument(i)),
    over: over.map((_, i) => values.argument(first + i)),
    constants: constants.map((_, i) => values.argument(first + over.length + i)),
    current: carries.map((leaf, i) => values.part(i, leaf.shape)!),
    next: carries.map((leaf) => values.scratch(leaf.shape)),
    // The body writes all of its outputs: what nobody takes goes to scratch of one element.
    outputs: outputs.map((value, i) => values.part(first + i, value.shape)!),
    histories: carries.map((_, i) => values.part(first + outputs.length + i)),
  };
}
