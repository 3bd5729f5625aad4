/** The problems of torch-traces.py with the same order of operations, so that gradients agree to the last bit. */
const CURVATURE = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 10.0, 50.0, 100.0];
const CENTRE = [1.0, -2.0, 3.0, -0.5, 0.25, 1.5, -1.0, 2.0, -3.0, 0.75];

export interface Problem {
  start: number[];
  /** Gradient with the perturbation of step t ≥ 1, or the exact gradient for t = 0. */
  gradient(x: ArrayLike<number>, t: number): number[];
  value(x: ArrayLike<number>): number;
}

export const quadratic: Problem = {
  start: CURVATURE.map(() => 0.5),
  gradient(x, t) {
    let total = 0;
    for (let i = 0; i < 10; i++) total += x[i] - CENTRE[i];
    return CURVATURE.map((a, i) => {
      const perturbation = t > 0 ? 0.1 * (((7919 * t + 104729 * i) % 1000) / 1000 - 0.5) : 0;
      return a * (x[i] - CENTRE[i]) + 0.01 * total + perturbation;
    });
  },
  value(x) {
    let total = 0;
    let f = 0;
    for (let i = 0; i < 10; i++) {
      total += x[i] - CENTRE[i];
      f += 0.5 * CURVATURE[i] * (x[i] - CENTRE[i]) * (x[i] - CENTRE[i]);
    }
    return f + 0.005 * total * total;
  },
};

export const rosenbrock: Problem = {
  start: [-1.2, 1],
  gradient: ({ 0: u, 1: v }) => [-400 * u * (v - u * u) - 2 * (1 - u), 200 * (v - u * u)],
  value: ({ 0: u, 1: v }) => 100 * (v - u * u) * (v - u * u) + (1 - u) * (1 - u),
};

export const problems: Record<string, Problem> = { quadratic, rosenbrock };
