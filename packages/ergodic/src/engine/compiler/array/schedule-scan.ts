/**
 * Lowers a scan to a step. Its body is a separate program. It runs once per element, on buffers that the step advances.
 */
import type { ArrayProgram, Lowered, ScanStep } from "./lowered.ts";
import type { Shape, SymbolicArray } from "./symbolic.ts";

/**
 * End condition of a loop of at most `length` steps: the loop ends as soon as its first carry is not above 0. This is
 * checked before each step.
 */
export interface ScanEnd {
  /**
   * Index of the history entry that a step reads and writes. "kept": the second carry is the index of the entry. If a
   * step does not advance this index, the next step overwrites the entry. "counted": the initial value of the first
   * carry is the number of entries. They are visited from first to last, or in reverse.
   */
  readonly place: "kept" | "counted";
  /** Number of leading carries that control the loop and have no derivative. */
  readonly control: number;
  /**
   * Next values of the other carries if the step is accepted. The derivative uses these values instead of the actual
   * next carries.
   */
  readonly smooth?: readonly SymbolicArray[];
}

/** Attributes of the node made by operations/scan.ts. A leaf represents one element of a scanned array. */
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
  /** Returns the value of argument i, contiguous. */
  argument(index: number): number;
  /** Returns the value of a part. An unused part gives scratch of `shape`, or undefined without a shape. */
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
    // The body writes all of its outputs; unused ones go to scratch of one element.
    outputs: outputs.map((value, i) => values.part(first + i, value.shape)!),
    histories: carries.map((_, i) => values.part(first + outputs.length + i)),
  };
}
