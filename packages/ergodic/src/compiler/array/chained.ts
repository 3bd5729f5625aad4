/**
 * Operations as methods of symbolic arrays: every element-wise one, and the common ones of whole arrays, so that alpha.add(beta.mul(x), gamma.mul(z)) reads from left to right: x.op(…) is op(x, …), the same node.
 * primitives/methods.ts puts them in place, since operations stand on arrays, and not the reverse.
 */
import type { AxisOptions } from "../primitive.ts";
import type { ArrayLikeOperand, Shape, SymbolicArray } from "./symbolic.ts";

type One = () => SymbolicArray;
type Two = (b: ArrayLikeOperand) => SymbolicArray;
type Chain = (b: ArrayLikeOperand, ...more: ArrayLikeOperand[]) => SymbolicArray;
type Reduction = (options?: AxisOptions) => SymbolicArray;

export interface ArrayMethods {
  readonly add: Chain;
  readonly sub: Two;
  readonly mul: Chain;
  readonly div: Two;
  readonly pow: Two;
  readonly min: Chain;
  readonly max: Chain;
  readonly less: Two;
  readonly lessEqual: Two;
  readonly equal: Two;
  readonly and: Chain;
  readonly or: Chain;
  readonly not: One;
  /** `yes` where this holds (is not 0), else `no`. */
  readonly where: (yes: ArrayLikeOperand, no: ArrayLikeOperand) => SymbolicArray;
  readonly neg: One;
  readonly abs: One;
  readonly sign: One;
  readonly floor: One;
  readonly round: One;
  readonly square: One;
  readonly sqrt: One;
  readonly exp: One;
  readonly expm1: One;
  readonly log: One;
  readonly log1p: One;
  readonly sigmoid: One;
  readonly softplus: One;
  readonly tanh: One;
  readonly cos: One;
  readonly sin: One;
  readonly atan: One;
  readonly erf: One;
  readonly erfc: One;
  readonly lgamma: One;
  readonly digamma: One;
  readonly trigamma: One;
  readonly stopGradient: One;
  readonly sum: Reduction;
  readonly mean: Reduction;
  readonly maximum: Reduction;
  readonly minimum: Reduction;
  readonly logSumExp: Reduction;
  /** Sums up to and with each element, along an axis (default 0). */
  readonly cumsum: (options?: { axis?: number; reverse?: boolean }) => SymbolicArray;
  /** The inner product of two vectors. */
  readonly dot: (b: SymbolicArray) => SymbolicArray;
  readonly matmul: (b: SymbolicArray) => SymbolicArray;
  /** The element at `index` of an axis (default 0), which the result lacks. */
  readonly at: (index: number, axis?: number) => SymbolicArray;
  /** Elements by number along an axis (default 0). */
  readonly take: (indices: ArrayLikeOperand | ArrayLike<number>, axis?: number) => SymbolicArray;
  /** Elements [from, to) of an axis (default 0). */
  readonly slice: (options: { axis?: number; from?: number; to?: number; step?: number }) => SymbolicArray;
  readonly reshape: (shape: Shape) => SymbolicArray;
  readonly transpose: (order?: readonly number[]) => SymbolicArray;
}

/** What arrays inherit. */
export const Chained = class {} as unknown as new () => ArrayMethods;

type Operations = {
  readonly [K in keyof ArrayMethods]: (x: SymbolicArray, ...rest: Parameters<ArrayMethods[K]>) => SymbolicArray;
};

/** Puts the methods in place. */
export function giveMethods(operations: Operations): void {
  for (const [name, operation] of Object.entries(operations) as [string, (...given: unknown[]) => SymbolicArray][])
    Object.defineProperty(Chained.prototype, name, {
      value(this: SymbolicArray, ...rest: unknown[]): SymbolicArray {
        return operation(this, ...rest);
      },
    });
}
