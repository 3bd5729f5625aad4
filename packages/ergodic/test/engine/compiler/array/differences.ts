/**
 * Checks derivatives of array programs against finite differences in the interpreter: gradients, tangents and second
 * derivatives. Five-point differences have an error of h⁴ f⁽⁵⁾ / 30 plus rounding of about ε|f| / h. Both are far below
 * `tolerance` for values of size 1.
 */
import { expect } from "vitest";
import {
  constantArray,
  gradientsOf,
  hessianVector,
  input,
  interpret,
  type SymbolicArray,
  sizeOf,
  tangentsOf,
} from "../../../../src/engine/compiler/array/index.ts";
import { mul, sum } from "../../../../src/engine/compiler/index.ts";
import { isSlow } from "../../../power.ts";
import { numbers } from "../../../reference/arrays.ts";

export type Values = Record<string, Float64Array>;
export type Shapes = Record<string, readonly number[]>;
export type Make = (inputs: Record<string, SymbolicArray>) => SymbolicArray;

export const inputsOf = (shapes: Shapes): Record<string, SymbolicArray> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape)]));

export const valuesFor = (shapes: Shapes, seed = 1): Values =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, numbers(sizeOf(shape), seed + i)]));

/** Evaluates a program that is traced only once. */
export const evaluated = (make: Make, shapes: Shapes, values: Values): Float64Array =>
  interpret([make(inputsOf(shapes))], values)[0];

export interface Check {
  readonly values?: Values;
  /** Inputs to differentiate by. Default: all. */
  readonly by?: readonly string[];
  readonly tolerance?: number;
  /** Whether to check second derivatives. Default: true. */
  readonly second?: boolean;
}

export function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  expect(actual.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const fits =
      Object.is(actual[i], wanted[i]) || Math.abs(actual[i] - wanted[i]) <= tolerance * Math.max(1, Math.abs(wanted[i]));
    if (!fits) expect.fail(`${what}: element ${i} is ${actual[i]}, wanted ${wanted[i]}`);
  }
}

/** df/dx along `direction` by finite differences. */
function difference(f: (values: Values) => Float64Array, values: Values, name: string, direction: Float64Array): Float64Array {
  const h = 2 ** -9;
  const at = (step: number): Float64Array => f({ ...values, [name]: values[name].map((x, i) => x + step * h * direction[i]) });
  const [far, near, back, farBack] = [at(2), at(1), at(-1), at(-2)];
  return far.map((_, i) => (8 * (near[i] - back[i]) - (far[i] - farBack[i])) / (12 * h));
}

/** Fails unless the derivatives of ⟨weights, make(inputs)⟩ agree with finite differences. */
export function checkDerivatives(make: Make, shapes: Shapes, check: Check = {}): void {
  const { values = valuesFor(shapes), by = Object.keys(shapes), tolerance = 1e-7, second = true } = check;
  const inputs = inputsOf(shapes);
  const y = make(inputs);
  const weighted = sum(mul(constantArray(numbers(y.size, 99), y.shape), y));
  const wrts = by.map((name) => inputs[name]);
  const gradients = gradientsOf(weighted, wrts);
  const value = (output: SymbolicArray) => (given: Values) => interpret([output], given)[0];
  const product = (a: Float64Array, b: Float64Array): number => a.reduce((total, x, i) => total + x * b[i], 0);
  by.forEach((name, i) => {
    const size = values[name].length;
    const own = interpret([gradients[i]], values)[0];
    const direction = numbers(size, 7);
    const vector = constantArray(direction, inputs[name].shape);
    const [tangent] = interpret(tangentsOf([y], [inputs[name]], [vector]), values);
    const along = difference(value(y), values, name, direction);
    expectClose(tangent, along, tolerance, `tangent along ${name}`);
    // A wrong element of the gradient shows along random directions, too. At full power, every element is checked
    // alone.
    const slope = product(numbers(y.size, 99), along);
    expectClose([product(own, direction)], [slope], tolerance, `gradient along ${name}`);
    const units = Array.from({ length: size }, (_, j) => Float64Array.from({ length: size }, (__, k) => Number(j === k)));
    for (const other of isSlow || size < 2 ? units : [numbers(size, 8)]) {
      const wanted = difference(value(weighted), values, name, other);
      expectClose([product(own, other)], wanted, tolerance, `gradient by ${name} along another direction`);
    }
    if (!second) return;
    const wanted = difference(value(gradients[i]), values, name, direction);
    const [curved] = interpret(hessianVector(weighted, [inputs[name]], [vector]), values);
    expectClose(curved, wanted, tolerance * 10, `Hessian of ${name} times a vector`);
    // Mixed second derivatives, reverse over reverse, by every input.
    const paired = sum(mul(gradients[i], vector));
    const mixed = gradientsOf(paired, wrts);
    by.forEach((other, k) => {
      const along = numbers(values[other].length, 8);
      const [slope] = difference(value(paired), values, other, along);
      const [own] = interpret([sum(mul(mixed[k], constantArray(along, inputs[other].shape)))], values)[0];
      expectClose([own], [slope], tolerance * 100, `second derivative by ${name} and ${other}`);
    });
  });
}
