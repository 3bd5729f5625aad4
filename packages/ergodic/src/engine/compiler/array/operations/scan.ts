import { arrays, callback, flag, number, operation, optional, options } from "../../signature.ts";
import { isElementOf } from "../indices.ts";
import { isArray, type SymbolicArray, sameShape, shapeError, shapeText } from "../symbolic.ts";
import { concatenate, slice } from "./places.ts";
import { reshape } from "./reshape.ts";
import { closeScan, freshLeaf, type Scanned } from "./scan-node.ts";

export type { Scanned };

/** Body of a scan: (carries, elements) => [next carries, outputs]. */
export type ScanBody = (
  carries: SymbolicArray[],
  over: SymbolicArray[],
) => readonly [next: readonly SymbolicArray[], outputs: readonly SymbolicArray[]];

/** Options of `scan`. */
export interface ScanOptions {
  /** Number of steps; required if there is nothing to scan over. */
  readonly length?: number;
  /** Whether to run from the last element to the first. Default false. */
  readonly reverse?: boolean;
  /**
   * Whether derivatives store only the carries of every √T-th step, and recompute the carries of all other steps.
   * Default false.
   */
  readonly checkpoint?: boolean;
}

/**
 * Loop with carried state: c_{t+1}, y_t = f(c_t, x_t) for t = 0 … T − 1 (in reverse: T − 1 … 0). The size of the
 * compiled code does not grow with T.
 *
 * Runs `body(carries, elements) → [next carries, outputs]` along axis 0 of the arrays in `over` (step t sees x[t]), or
 * `length` times. `carries`: initial values of the arrays that are carried from step to step. The body is traced once,
 * on placeholders. Arrays of the surrounding program that the body uses become constants of the loop and are computed
 * once. A derivative stores all T carries. With `checkpoint`, a derivative stores only about 2√T carries and makes one
 * more pass. Source: Chen, Xu, Zhang, Guestrin 2016.
 *
 * @throws CompileError if lengths differ or are missing, or a carry changes its shape or number
 */
export const scan = operation(
  "scan",
  {
    carries: arrays,
    over: arrays,
    body: callback,
    options: optional(options({ length: number, reverse: flag, checkpoint: flag })),
  },
  (carries: readonly SymbolicArray[], over: readonly SymbolicArray[], body: ScanBody, options: ScanOptions = {}): Scanned => {
    const length = lengthOf(over, options);
    const { reverse = false, checkpoint = false } = options;
    if (checkpoint && length > 3) return inSegments(carries, over, body, length, reverse);
    const carryLeaves = carries.map((x) => freshLeaf(x.shape));
    const overLeaves = over.map((x) => freshLeaf(x.shape.slice(1)));
    overLeaves.forEach((leaf, i) => void isElementOf(leaf, over[i]));
    const made = body([...carryLeaves], [...overLeaves]);
    const [next, outputs] = checkedBody(carries, made);
    return closeScan({ length, reverse, carries: carryLeaves, over: overLeaves, next, outputs }, carries, over);
  },
);

function lengthOf(over: readonly SymbolicArray[], { length }: ScanOptions): number {
  const lengths = [...over.map((x) => x.shape[0]), ...(length === undefined ? [] : [length])];
  if (lengths.length > 0 && lengths.every((n) => n === lengths[0] && Number.isInteger(n) && n >= 1)) return lengths[0];
  throw shapeError(
    "scan",
    `it runs over ${over.map((x) => shapeText(x.shape)).join(", ") || "nothing"} with length ${length}, but all must give the same whole number of steps, from 1 on`,
  );
}

function checkedBody(carries: readonly SymbolicArray[], made: ReturnType<ScanBody>): ReturnType<ScanBody> {
  const [next, outputs] = Array.isArray(made) ? made : [];
  if (!Array.isArray(next) || !Array.isArray(outputs) || ![...next, ...outputs].every(isArray))
    throw shapeError(
      "scan",
      "the body must give [next carries, outputs], two lists of symbolic arrays; write [[next], [output]]",
    );
  if (next.length !== carries.length || next.some((x, i) => !sameShape(x.shape, carries[i].shape)))
    throw shapeError(
      "scan",
      `the carries are ${carries.map((x) => shapeText(x.shape)).join(", ")}, but the body gives ${next.map((x) => shapeText(x.shape)).join(", ") || "none"}; their shapes must not change`,
    );
  return [next, outputs];
}

/**
 * Runs segments of about √T steps, as a scan over scans. The remaining steps run after the segments or, in reverse,
 * before them.
 */
function inSegments(
  carries: readonly SymbolicArray[],
  over: readonly SymbolicArray[],
  body: ScanBody,
  length: number,
  reverse: boolean,
): Scanned {
  const steps = Math.ceil(Math.sqrt(length));
  const segments = Math.floor(length / steps);
  const whole = segments * steps;
  const between = (from: number, to: number): SymbolicArray[] => over.map((x) => slice(x, { from, to }));
  const runSegments = (starts: readonly SymbolicArray[]): Scanned => {
    const parts = between(0, whole).map((x) => reshape(x, [segments, steps, ...x.shape.slice(1)]));
    const outer = scan(
      starts,
      parts,
      (carry, own) => {
        const inner = scan(carry, own, body, { length: steps, reverse });
        return [inner.carries, [...inner.outputs, ...inner.histories]];
      },
      { length: segments, reverse },
    );
    const joined = outer.outputs.map((y) => reshape(y, [whole, ...y.shape.slice(2)]));
    const at = joined.length - carries.length;
    return { carries: outer.carries, outputs: joined.slice(0, at), histories: joined.slice(at) };
  };
  if (whole === length) return runSegments(carries);
  const runRest = (starts: readonly SymbolicArray[]): Scanned =>
    scan(starts, between(whole, length), body, { length: length - whole, reverse });
  // The remaining steps are at the end of the arrays, so a reverse run starts with them.
  const first = reverse ? runRest(carries) : runSegments(carries);
  const second = reverse ? runSegments(first.carries) : runRest(first.carries);
  const [low, high] = reverse ? [second, first] : [first, second];
  const join = (a: SymbolicArray, i: number, b: readonly SymbolicArray[]): SymbolicArray => concatenate([a, b[i]]);
  return {
    carries: second.carries,
    outputs: low.outputs.map((y, i) => join(y, i, high.outputs)),
    histories: low.histories.map((y, i) => join(y, i, high.histories)),
  };
}
