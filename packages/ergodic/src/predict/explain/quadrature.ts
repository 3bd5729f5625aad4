import { cosine } from "../../engine/numbers/cosine-sine.ts";

/** Nodes and weights of a quadrature rule on [0, 1]. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const made: Quadrature[] = [];

/**
 * Gauss–Legendre rule with n nodes: ∫₀¹ p(t) dt = Σ w_q p(t_q), exactly for polynomials p of degree up to 2n − 1.
 *
 * The nodes are the roots of the Legendre polynomial P_n, found by Newton's method from cos(π (q + ¾)/(n + ½)). Errors
 * are about 1e-15. Source: Golub and Welsch 1969, and Abramowitz and Stegun, 25.4.30.
 */
export function gaussLegendre(n: number): Quadrature {
  made[n] ??= rule(n);
  return made[n];
}

function rule(n: number): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let q = 0; q < n; q++) {
    let x = cosine((Math.PI * (q + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      let [before, p] = [1, x];
      for (let k = 2; k <= n; k++) [before, p] = [p, ((2 * k - 1) * x * p - (k - 1) * before) / k];
      slope = (n * (x * p - before)) / (x * x - 1);
      const move = p / slope;
      x -= move;
      if (Math.abs(move) < 1e-15) break;
    }
    nodes[q] = (1 - x) / 2;
    weights[q] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}
