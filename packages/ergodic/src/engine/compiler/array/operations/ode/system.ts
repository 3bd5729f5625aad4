/**
 * y' = f(t, y) in the form that integration methods need: f at other points, linear combinations, and the size of an
 * error.
 */

import { add, div, mul } from "../../../primitives/arithmetic.ts";
import { maximum } from "../../../primitives/reductions.ts";
import { abs, max } from "../../../primitives/selection.ts";
import { gradientsOf } from "../../derive.ts";
import { substituteArrays } from "../../substitute.ts";
import { isArray, type Shape, type SymbolicArray, sameShape, shapeError, shapeText } from "../../symbolic.ts";
import { full } from "../constants.ts";
import { at, stack } from "../places.ts";
import { reshape } from "../reshape.ts";
import { freshLeaf } from "../scan-node.ts";
import { withoutWholes } from "./parts.ts";

/**
 * A state with few components is a list of separate numbers, so that the numbers stay in registers. A larger state is
 * one array.
 */
export type State = readonly SymbolicArray[];

/** Returns the slope of the state y, of any shape, at the time t. */
export type Slope = (t: SymbolicArray, y: SymbolicArray) => SymbolicArray;

/** Tolerances; the error of a step can be at most absolute + relative · |y|. */
export interface Tolerances {
  readonly relative: number;
  readonly absolute: number;
}

/** A state with more components than this is one array. */
const MOST_SINGLE = 16;

export class System {
  readonly #shape: Shape;
  readonly #size: number;
  readonly #t = freshLeaf([]);
  readonly #y: State;
  readonly #slope: State;
  #derivatives: { readonly byState: SymbolicArray; readonly byTime: SymbolicArray } | undefined;

  /**
   * Traces the slope once.
   * @throws CompileError if `slope` does not return an array of the state's shape
   */
  constructor(slope: Slope, shape: Shape) {
    this.#shape = shape;
    this.#size = shape.reduce((a, b) => a * b, 1);
    this.#y = this.#isSingle ? Array.from({ length: this.#size }, () => freshLeaf([])) : [freshLeaf([this.#size])];
    const made = slope(this.#t, this.whole(this.#y));
    if (!isArray(made) || !sameShape(made.shape, shape))
      throw shapeError(
        "ode",
        `the slope is ${isArray(made) ? shapeText(made.shape) : typeof made}, but the state is ${shapeText(shape)}, and each number of the state needs a slope; write a list of numbers as stack([…])`,
      );
    this.#slope = withoutWholes(this.parts(made));
  }

  get #isSingle(): boolean {
    return this.#size <= MOST_SINGLE;
  }

  /** Returns a state in the user's shape. */
  whole(state: State): SymbolicArray {
    if (!this.#isSingle || this.#shape.length === 0) return reshape(state[0], this.#shape);
    return reshape(stack(state), this.#shape);
  }

  parts(whole: SymbolicArray): State {
    const flat = reshape(whole, [this.#size]);
    return this.#isSingle ? Array.from({ length: this.#size }, (_, i) => at(flat, i)) : [flat];
  }

  slope(t: SymbolicArray, y: State): State {
    return substituteArrays(this.#slope, this.#at(t, y));
  }

  /** Returns ∂f/∂y, [n, n], and ∂f/∂t, [n]. */
  derivatives(t: SymbolicArray, y: State): { byState: SymbolicArray; byTime: SymbolicArray } {
    this.#derivatives ??= this.#derive();
    const { byState, byTime } = this.#derivatives;
    const [jacobian, slopes] = substituteArrays([byState, byTime], this.#at(t, y));
    return { byState: jacobian, byTime: slopes };
  }

  #derive() {
    const components = this.#isSingle ? this.#slope : Array.from({ length: this.#size }, (_, i) => at(this.#slope[0], i));
    const rows = components.map((one) => gradientsOf(one, [...this.#y, this.#t]));
    const byState = stack(rows.map((row) => (this.#isSingle ? stack(row.slice(0, -1)) : row[0])));
    return { byState, byTime: stack(rows.map((row) => row[row.length - 1])) };
  }

  #at(t: SymbolicArray, y: State): Map<SymbolicArray, SymbolicArray> {
    return new Map([this.#t, ...this.#y].map((leaf, i) => [leaf, i === 0 ? t : y[i - 1]]));
  }

  /** Returns the state as one array, [n]. */
  vector = (state: State): SymbolicArray => (this.#isSingle ? stack(state) : state[0]);
}

/** Returns y + h Σ cᵢ kᵢ. */
export function moved(y: State, h: SymbolicArray, terms: readonly (readonly [number, State])[]): State {
  const sum = combined(terms);
  return y.map((x, i) => add(x, mul(h, sum[i])));
}

/** Returns Σ cᵢ kᵢ. */
export function combined(terms: readonly (readonly [number, State])[]): State {
  const [[, first]] = terms;
  return first.map((_, i) =>
    terms.reduce<SymbolicArray>((sum, [factor, k]) => (factor === 0 ? sum : add(sum, mul(factor, k[i]))), full(0)),
  );
}

/** Returns the largest component of `state`, in units of the error allowed at y or z, whichever is larger. */
export function sizeOf(state: State, y: State, z: State, { relative, absolute }: Tolerances): SymbolicArray {
  return state
    .map((x, i) => {
      const scale = add(absolute, mul(relative, max(abs(y[i]), abs(z[i]))));
      const ratio = div(abs(x), scale);
      return ratio.rank === 0 ? ratio : maximum(ratio);
    })
    .reduce((a, b) => max(a, b));
}
