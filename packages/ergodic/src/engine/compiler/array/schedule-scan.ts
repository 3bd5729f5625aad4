/**
 * Lowers a scan to a step. The body of the scan is a separate program. The body runs once per element, on buffers whose
 * pointers the step advances.
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
   * step does not advance this index, the next step overwrites the same entry. "counted": the initial value of the
   * first carry is the number of entries. The entries are visited from first to last, or in reverse.
   */
  readonly place: "kept" | "counted";
  /** Number of leading carries that control the loop and have no derivative. */
  readonly control: number;
  /**
   * Next values of the other carries, as they would be if the step were accepted. The derivative uses these values
   * instead of the actual next carries.
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
  /** Returns the value of argument i in contiguous form. */
  argument(index: number): number;
  /**
   * Returns the value of a part. For an unused part, returns scratch memory of `shape`, or undefined if no shape is
   * given.
   */
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
    // The body writes all of its outputs. Unused outputs go to scratch memory.
    outputs: outputs.map((value, i) => values.part(first + i, value.shape)!),
    histories: carries.map((_, i) => values.part(first + outputs.length + i)),
  };
}
