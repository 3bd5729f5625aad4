import { float64s } from "../../engine/memory/room.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";

/**
 * Flow of Stein variational gradient descent (svgd.ts defines φ) for particles [n, d], concatenated.
 *
 * Returns φ at each particle, [n, d]; `gradients`: ∇ℓ at each.
 */
export function steinFlow(particles: Float64Array, gradients: Float64Array, d: number, bandwidth: number): Float64Array {
  const n = particles.length / d;
  const flow = new Float64Array(particles.length);
  for (let at = 0; at < flow.length; at++) flow[at] = gradients[at] / n;
  // Each pair is visited only once, because the kernel is symmetric and its gradient is antisymmetric.
  for (let i = 0; i < particles.length; i += d) {
    for (let j = 0; j < i; j += d) {
      const k = exp(-squaredDistance(particles, j, i, d) / bandwidth) / n;
      const apart = (2 * k) / bandwidth;
      for (let l = 0; l < d; l++) {
        const push = apart * (particles[i + l] - particles[j + l]);
        flow[i + l] += k * gradients[j + l] + push;
        flow[j + l] += k * gradients[i + l] - push;
      }
    }
  }
  return flow;
}

/** Returns med²/log n; 1 if all particles coincide. */
export function medianBandwidth(particles: Float64Array, d: number): number {
  const n = particles.length / d;
  const squares = float64s("svgd", `distances of ${n} particles`, (n * (n - 1)) / 2);
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) squares[at++] = squaredDistance(particles, i * d, j * d, d);
  squares.sort();
  const middle = squares.length >> 1;
  const median = squares.length % 2 === 1 ? squares[middle] : (squares[middle - 1] + squares[middle]) / 2;
  return median > 0 ? median / log(n) : 1;
}

function squaredDistance(x: Float64Array, i: number, j: number, d: number): number {
  let sum = 0;
  for (let l = 0; l < d; l++) sum += (x[i + l] - x[j + l]) * (x[i + l] - x[j + l]);
  return sum;
}
