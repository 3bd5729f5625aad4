/**
 * Systems for tests of solvers, as in the Stan program bench/peers/stan/ode.stan. The parameters are the vector
 * `theta`.
 */
import { at, type Slope, type SymbolicArray, stack, toArray } from "../../src/engine/compiler/array/index.ts";
import { add, div, mul, neg, sub } from "../../src/engine/compiler/index.ts";

export interface Equation {
  readonly slope: (theta: SymbolicArray) => Slope;
  readonly start: (theta: SymbolicArray) => SymbolicArray;
}

const numbers = (x: SymbolicArray, count: number): SymbolicArray[] => Array.from({ length: count }, (_, i) => at(x, i));
const given = (...values: number[]) => stack(values.map((x) => toArray(x)));

export const equations: Readonly<Record<string, Equation>> = {
  sir: {
    slope: (theta) => (_, y) => {
      const [[beta, gamma], [s, i]] = [numbers(theta, 2), numbers(y, 2)];
      const infected = mul(mul(div(beta, 763), s), i);
      return stack([neg(infected), sub(infected, mul(gamma, i)), mul(gamma, i)]);
    },
    start: (theta) => stack([sub(763, at(theta, 2)), at(theta, 2), toArray(0)]),
  },
  lotkaVolterra: {
    slope: (theta) => (_, y) => {
      const [[alpha, beta, gamma, delta], [u, v]] = [numbers(theta, 4), numbers(y, 2)];
      return stack([mul(sub(alpha, mul(beta, v)), u), mul(sub(mul(delta, u), gamma), v)]);
    },
    start: (theta) => stack([at(theta, 4), at(theta, 5)]),
  },
  robertson: {
    slope: (theta) => (_, y) => {
      const [[p, q, r], [x, y2, z]] = [numbers(theta, 3), numbers(y, 3)];
      const [a, b, c] = [mul(0.04, p, x), mul(1e4, q, y2, z), mul(3e7, r, y2, y2)];
      return stack([sub(b, a), sub(sub(a, b), c), c]);
    },
    start: () => given(1, 0, 0),
  },
  vanDerPol: {
    slope: (theta) => (_, y) => {
      const [x, v] = numbers(y, 2);
      return stack([v, sub(mul(mul(at(theta, 0), sub(1, mul(x, x))), v), x)]);
    },
    start: (theta) => stack([at(theta, 1), at(theta, 2)]),
  },
  oneCompartment: {
    slope: (theta) => (_, y) => {
      const [[absorbed, eliminated, volume], [gut, blood]] = [numbers(theta, 3), numbers(y, 2)];
      return stack([neg(mul(absorbed, gut)), add(div(mul(absorbed, gut), volume), neg(mul(eliminated, blood)))]);
    },
    start: () => given(100, 0),
  },
};
