/**
 * Operations as methods of symbolic arrays, so that alpha.add(beta.mul(x), gamma.mul(z)) reads from left to right: x.op(…) is
 * op(x, …), the same node.
 * primitives/methods.ts puts them in place, since operations stand on arrays, and not the reverse.
 */

type One<A> = () => A;
type Two<A> = (b: A | number) => A;
type Chain<A> = (b: A | number, ...more: (A | number)[]) => A;
type Reduction<A> = (options?: AxisOptions) => A;

/** `A`: the array itself. */
export interface ArrayMethods<A> {
  readonly add: Chain<A>;
  readonly sub: Two<A>;
  readonly mul: Chain<A>;
  readonly div: Two<A>;
  readonly pow: Two<A>;
  readonly min: Chain<A>;
  readonly max: Chain<A>;
  readonly less: Two<A>;
  readonly lessEqual: Two<A>;
  readonly equal: Two<A>;
  readonly neg: One<A>;
  readonly abs: One<A>;
  readonly square: One<A>;
  readonly sqrt: One<A>;
  readonly exp: One<A>;
  readonly log: One<A>;
  readonly log1p: One<A>;
  readonly sigmoid: One<A>;
  readonly tanh: One<A>;
  readonly sum: Reduction<A>;
  readonly mean: Reduction<A>;
  readonly maximum: Reduction<A>;
  readonly minimum: Reduction<A>;
  readonly logSumExp: Reduction<A>;
  /** Sums up to and with each element, along an axis (default 0). */
  readonly cumsum: (options?: { axis?: number; reverse?: boolean }) => A;
  /** The inner product of two vectors. */
  readonly dot: (b: A) => A;
  readonly matmul: (b: A) => A;
  /** The element at `index` of an axis (default 0), which the result lacks. */
  readonly at: (index: number, axis?: number) => A;
  /** Elements by number along an axis (default 0). */
  readonly take: (indices: A | number | ArrayLike<number>, axis?: number) => A;
  /** Elements [from, to) of an axis (default 0). */
  readonly slice: (options: { axis?: number; from?: number; to?: number; step?: number }) => A;
  readonly reshape: (shape: readonly number[]) => A;
  readonly transpose: (order?: readonly number[]) => A;
}

type Operations<A> = {
  readonly [K in keyof ArrayMethods<A>]: (x: A, ...rest: Parameters<ArrayMethods<A>[K]>) => A;
};

/** Puts the methods in place on what arrays inherit from. */
export function giveMethods<A extends object>(prototype: A, operations: Operations<A>): void {
  for (const [name, operation] of Object.entries(operations) as [string, (...given: unknown[]) => A][])
    Object.defineProperty(prototype, name, {
      value(this: A, ...rest: unknown[]): A {
        return operation(this, ...rest);
      },
    });
}

/** Axes to reduce (default: all), and whether they stay with an extent of 1. */
export interface AxisOptions {
  /** The axis, or several; negative ones count from the end. Default: all. */
  readonly axis?: number | readonly number[];
  /** Whether reduced axes stay with an extent of 1. Default false. */
  readonly keep?: boolean;
}
