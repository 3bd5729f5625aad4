/** Graphs with several modes, whose marginals follow from a formula or from elimination. */
import { stream } from "../../../../src/engine/random/stream.ts";
import { type FactorGraph, factorGraph } from "../../../../src/entries/everything.ts";

/** A graph and the probability of the second state of each variable, if a formula exists. */
export interface Modes {
  readonly graph: FactorGraph;
  readonly truth?: readonly number[];
}

/** Signs that define which state of each variable is "up", so that equal starting states are not special. */
function gauge(seed: number, count: number): number[] {
  const draws = stream(seed, "gauge").at(0);
  return Array.from({ length: count }, () => (draws.uniform() < 0.5 ? -1 : 1));
}

/**
 * p(s) ∝ exp(J/n Σ_{i<j} s_i s_j + h Σ s_i), s = ±1, through a gauge. It has two modes beyond J = 1, and the upper one
 * is e^{2nhm} times as probable.
 */
export function curieWeiss(seed: number, n: number, J: number, h: number): Modes {
  const up = gauge(seed, n);
  const graph = factorGraph();
  for (let i = 0; i < n; i++) graph.variable();
  for (let i = 0; i < n; i++) {
    graph.table([i], [-h * up[i], h * up[i]], { logs: true });
    for (let j = 0; j < i; j++) {
      const k = (J / n) * up[i] * up[j];
      graph.table([i, j], [k, -k, -k, k], { logs: true });
    }
  }
  let [sum, mean, choose] = [0, 0, 0];
  for (let k = 0; k <= n; k++) {
    const m = 2 * k - n;
    const weight = Math.exp(choose + (J / n) * ((m * m - n) / 2) + h * m - (J * n) / 2);
    sum += weight;
    mean += (weight * k) / n;
    choose += Math.log((n - k) / (k + 1));
  }
  return { graph, truth: up.map((sign) => (sign > 0 ? mean / sum : 1 - mean / sum)) };
}

/** A ferromagnet on a grid, in a weak field, through a gauge. */
export function gaugedGrid(seed: number, side: number, coupling: number, field: number): Modes {
  const up = gauge(seed, side * side);
  const graph = factorGraph();
  for (let i = 0; i < side * side; i++) {
    graph.variable();
    graph.isTrue(i, { weight: field * up[i] });
    if (i % side > 0) graph.equal([i, i - 1], { weight: coupling * up[i] * up[i - 1] });
    if (i >= side) graph.equal([i, i - side], { weight: coupling * up[i] * up[i - side] });
  }
  return { graph };
}

/**
 * Two planted states, with tables on a ring with chords that favour both. `tilt` is the total preference for one of
 * them, in nats.
 */
export function planted(seed: number, n: number, strength: number, tilt: number): Modes {
  const draws = stream(seed, "planted").at(0);
  const [a, b] = [0, 1].map(() => Array.from({ length: n }, () => draws.integer(2)));
  const graph = factorGraph();
  for (let i = 0; i < n; i++) graph.variable();
  for (let i = 0; i < n; i++) {
    const own = [0, 0];
    own[a[i]] = tilt / n;
    graph.table([i], own, { logs: true });
    for (const j of [(i + 1) % n, (i + 5) % n]) {
      const pair = [0, 0, 0, 0];
      pair[2 * a[i] + a[j]] += strength;
      pair[2 * b[i] + b[j]] += strength;
      graph.table([i, j], pair, { logs: true });
    }
  }
  return { graph };
}

/** A glass: random couplings of variance β²/n between all variables. */
export function glass(seed: number, n: number, beta: number): Modes {
  const draws = stream(seed, "glass").at(0);
  const graph = factorGraph();
  for (let i = 0; i < n; i++) graph.variable();
  for (let i = 0; i < n; i++) {
    graph.isTrue(i, { weight: 0.05 * draws.normal() });
    for (let j = 0; j < i; j++) graph.equal([i, j], { weight: (beta / Math.sqrt(n)) * draws.normal() });
  }
  return { graph };
}

/** Mean-field Potts: p ∝ exp(J/n Σ_{i<j} [c_i = c_j] + h Σ [c_i = 0]), with colours shifted by variable. */
export function potts(seed: number, n: number, q: number, J: number, h: number): Modes {
  const draws = stream(seed, "potts").at(0);
  const shift = Array.from({ length: n }, () => draws.integer(q));
  const colour = (i: number, state: number): number => (state + shift[i]) % q;
  const graph = factorGraph();
  const states = Array.from({ length: q }, (_, s) => s);
  for (let i = 0; i < n; i++) graph.variable(undefined, q);
  for (let i = 0; i < n; i++) {
    graph.table(
      [i],
      states.map((s) => (colour(i, s) === 0 ? h : 0)),
      { logs: true },
    );
    for (let j = 0; j < i; j++)
      graph.table(
        [i, j],
        states.flatMap((s) => states.map((t) => (colour(i, s) === colour(j, t) ? J / n : 0))),
        { logs: true },
      );
  }
  return { graph };
}
