/**
 * Methods of symbolic arrays: every element-wise operation, and the common operations on whole arrays. With these
 * methods, alpha.add(beta.mul(x), gamma.mul(z)) reads from left to right: x.op(…) is the same node as op(x, …).
 * primitives/methods.ts installs them, because operations depend on arrays, and arrays must not depend on operations.
 */

type One<A> = () => A;
type Two<A> = (b: A | number) => A;
type Chain<A> = (b: A | number, ...more: (A | number)[]) => A;
type Reduction<A> = (options?: AxisOptions) => A;

/** Methods of arrays. `A`: the array type. */
export interface ArrayMethods<A> {
  /** x + b + … */
  readonly add: Chain<A>;
  /** x − b */
  readonly sub: Two<A>;
  /** x · b · … */
  readonly mul: Chain<A>;
  /** x / b */
  readonly div: Two<A>;
  /** xᵇ */
  readonly pow: Two<A>;
  /** Smallest of x, b, … */
  readonly min: Chain<A>;
  /** Largest of x, b, … */
  readonly max: Chain<A>;
  /** 1 where x < b, else 0. */
  readonly less: Two<A>;
  /** 1 where x <= b, else 0. */
  readonly lessEqual: Two<A>;
  /** 1 where x = b, else 0. */
  readonly equal: Two<A>;
  /** 1 where x, b, … are all nonzero, else 0. */
  readonly and: Chain<A>;
  /** 1 where any of x, b, … is nonzero, else 0. */
  readonly or: Chain<A>;
  /** 1 where x is 0, else 0. */
  readonly not: One<A>;
  /** `yes` where this array is not 0, else `no`. */
  readonly where: (yes: A | number, no: A | number) => A;
  /** −x */
  readonly neg: One<A>;
  /** |x| */
  readonly abs: One<A>;
  /** −1, 0 or 1. */
  readonly sign: One<A>;
  /** Largest whole number <= x. */
  readonly floor: One<A>;
  /** Nearest whole number, with ties to even. */
  readonly round: One<A>;
  /** x² */
  readonly square: One<A>;
  /** √x */
  readonly sqrt: One<A>;
  /** eˣ */
  readonly exp: One<A>;
  /** eˣ − 1, accurate for small x. */
  readonly expm1: One<A>;
  /** ln x */
  readonly log: One<A>;
  /** ln(1 + x) */
  readonly log1p: One<A>;
  /** 1/(1 + e⁻ˣ) */
  readonly sigmoid: One<A>;
  /** log(1 + eˣ), without overflow. */
  readonly softplus: One<A>;
  /** The hyperbolic tangent. */
  readonly tanh: One<A>;
  /** The cosine of x radians. */
  readonly cos: One<A>;
  /** The sine of x radians. */
  readonly sin: One<A>;
  /** The arctangent in radians. */
  readonly atan: One<A>;
  /** The error function. */
  readonly erf: One<A>;
  /** 1 − erf(x), accurate even if erf(x) is close to 1. */
  readonly erfc: One<A>;
  /** log|Γ(x)| */
  readonly lgamma: One<A>;
  /** ψ(x), the derivative of lgamma. */
  readonly digamma: One<A>;
  /** ψ′(x), the derivative of digamma. */
  readonly trigamma: One<A>;
  /** x, with a derivative of 0. */
  readonly stopGradient: One<A>;
  /** Σ over axes (default: all). */
  readonly sum: Reduction<A>;
  /** Mean over axes (default: all). */
  readonly mean: Reduction<A>;
  /** Largest element over axes (default: all). */
  readonly maximum: Reduction<A>;
  /** Smallest element over axes (default: all). */
  readonly minimum: Reduction<A>;
  /** log Σ eˣ over axes (default: all), without overflow. */
  readonly logSumExp: Reduction<A>;
  /** Cumulative sums, including the element itself, along an axis (default 0). */
  readonly cumsum: (options?: { axis?: number; reverse?: boolean }) => A;
  /** The inner product of two vectors. */
  readonly dot: (b: A) => A;
  /** The matrix product. */
  readonly matmul: (b: A) => A;
  /** Element at `index` of an axis (default 0). The result lacks this axis. */
  readonly at: (index: number | readonly number[], axis?: number) => A;
  /** Elements by index along an axis (default 0). */
  readonly take: (indices: A | number | ArrayLike<number>, axis?: number) => A;
  /** Elements [from, to) of an axis (default 0). */
  readonly slice: (options: { axis?: number; from?: number; to?: number; step?: number }) => A;
  /** The same elements in another shape. */
  readonly reshape: (shape: readonly number[]) => A;
  /** Axes in another order (default: reversed). */
  readonly transpose: (order?: readonly number[]) => A;
}

/** The operation that each method calls. */
export type Operations<A> = {
  readonly [K in keyof ArrayMethods<A>]: (x: A, ...rest: Parameters<ArrayMethods<A>[K]>) => A;
};

/** Installs the methods on the prototype of arrays. */
export function giveMethods<A extends object>(prototype: A, operations: Operations<A>): void {
  for (const [name, operation] of Object.entries(operations) as [string, (...given: unknown[]) => A][])
    Object.defineProperty(prototype, name, {
      value(this: A, ...rest: unknown[]): A {
        return operation(this, ...rest);
      },
    });
}

/** Axes to reduce (default: all), and whether reduced axes are kept with extent 1. */
export interface AxisOptions {
  /** Axis or axes to reduce. Negative numbers count from the last axis. Default: all. */
  readonly axis?: number | readonly number[];
  /** Whether reduced axes are kept with extent 1. Default false. */
  readonly keep?: boolean;
}
