import { stream } from "../../../src/engine/random/stream.ts";
import { type FactorGraph, factorGraph } from "../../../src/entries/everything.ts";

/** Number of variables in a copy. */
const SIZE = 6;

/**
 * Copies of a small random graph with five weights. Their states are drawn from the model at the true weights, and a
 * share is hidden. Weights begin at 0. Enumeration covers the 64 states of a copy.
 */
export function smallWorld(seed: number, { copies = 40, hidden = 0 }: { copies?: number; hidden?: number } = {}) {
  const draws = stream(seed, "small world").at(0);
  const scales = [0.5, 0.7, 0.7, 0.7, 1];
  const truth = scales.map((scale) => scale * draws.normal());
  const chord = 2 + draws.integer(3);
  const graph = factorGraph();
  const weights = truth.map((_, i) => graph.weight(`w${i}`, 0));
  for (let copy = 0; copy < copies; copy++) {
    const first = SIZE * copy;
    for (let i = 0; i < SIZE; i++) graph.variable();
    for (let i = 0; i < SIZE; i++) graph.isTrue(first + i, { weight: weights[0] });
    for (let i = 0; i < SIZE; i++) graph.equal([first + i, first + ((i + 1) % SIZE)], { weight: weights[1 + (i % 2)] });
    graph.equal([first, first + chord], { weight: weights[3] });
    graph.ratio([first, first + 2, first + 4], first + 5, { weight: weights[4], feature: 1.5 });
  }
  /** Σ feature g by weight, for the states of a copy. */
  const statistics = (x: readonly number[]): number[] => {
    const sign = (holds: boolean): number => (holds ? 1 : -1);
    const same = (a: number, b: number): number => sign(x[a] === x[b]);
    const votes = x[5] ? 3 : 3 - x[0] - x[2] - x[4];
    let [single, even, odd] = [0, 0, 0];
    for (let i = 0; i < SIZE; i++) {
      single += sign(x[i] === 1);
      if (i % 2 === 0) even += same(i, (i + 1) % SIZE);
      else odd += same(i, (i + 1) % SIZE);
    }
    return [single, even, odd, same(0, chord), 1.5 * Math.log2(1 + votes)];
  };
  const states = Array.from({ length: 2 ** SIZE }, (_, k) => Array.from({ length: SIZE }, (_, i) => (k >> i) & 1));
  const all = states.map(statistics);
  const logs = (w: ArrayLike<number>): number[] => all.map((of) => of.reduce((sum, value, i) => sum + w[i] * value, 0));
  const shares = logs(truth).map(Math.exp);
  const total = shares.reduce((a, b) => a + b);
  const seen: (number | undefined)[][] = [];
  for (let copy = 0; copy < copies; copy++) {
    let left = draws.uniform() * total;
    let chosen = 0;
    while (chosen < shares.length - 1 && left >= shares[chosen]) left -= shares[chosen++];
    seen.push(states[chosen].map((state) => (draws.uniform() < hidden ? undefined : state)));
    seen[copy].forEach((state, i) => {
      if (state !== undefined) graph.observe(SIZE * copy + i, state === 1);
    });
  }
  const observed = seen.flat().filter((state) => state !== undefined).length;
  const every = [...states.keys()];
  /** The states of a copy that agree with its evidence. */
  const fitting = seen.map((one) => every.filter((k) => one.every((state, i) => state === undefined || state === states[k][i])));
  /** −ln P(observed states) and its gradient, per observed variable. */
  const loss = (w: ArrayLike<number>): { value: number; gradient: number[] } => {
    const weighed = logs(w).map(Math.exp);
    const moments = (among: readonly number[]) => {
      let z = 0;
      const mean = scales.map(() => 0);
      for (const k of among) {
        z += weighed[k];
        for (let i = 0; i < mean.length; i++) mean[i] += weighed[k] * all[k][i];
      }
      return { logZ: Math.log(z), mean: mean.map((value) => value / z) };
    };
    const free = moments(every);
    let value = 0;
    const gradient = scales.map(() => 0);
    for (const own of fitting) {
      const clamped = moments(own);
      value += free.logZ - clamped.logZ;
      for (const i of gradient.keys()) gradient[i] += free.mean[i] - clamped.mean[i];
    }
    return { value: value / observed, gradient: gradient.map((g) => g / observed) };
  };
  return { graph, truth, loss, observed, states, all };
}

/**
 * The best weights, by gradient steps with backtracking from 0. The likelihood of copies without hidden variables is
 * concave.
 */
export function optimumOf(loss: (w: ArrayLike<number>) => { value: number; gradient: number[] }, start: number[]): number[] {
  let w = start;
  let now = loss(w);
  let rate = 1;
  for (let step = 0; step < 3000 && Math.max(...now.gradient.map(Math.abs)) > 1e-7; step++) {
    const next = w.map((value, i) => value - rate * now.gradient[i]);
    const found = loss(next);
    const slope = now.gradient.reduce((sum, g) => sum + g * g, 0);
    if (found.value > now.value - 0.3 * rate * slope) {
      rate /= 2;
      continue;
    }
    [w, now] = [next, found];
    rate *= 1.3;
  }
  return w;
}

export type { FactorGraph };

/**
 * Copies of a graph with two modes: `size` variables with a field each, and equal factors on all pairs. Their states
 * are drawn from the model at the true weights of field and pairs, and weights begin at 0. The number of ones in a copy
 * determines everything, so the loss is a sum over these numbers.
 */
export function twoModes(seed: number, { size, copies, truth }: { size: number; copies: number; truth: readonly number[] }) {
  const draws = stream(seed, "two modes").at(0);
  const graph = factorGraph();
  const [field, alike] = ["field", "alike"].map((name) => graph.weight(name, 0));
  const choose = [1];
  for (let k = 1; k <= size; k++) choose[k] = (choose[k - 1] * (size - k + 1)) / k;
  /** Σ of ±1 over variables, and over pairs. */
  const statistics = choose.map((_, k) => [2 * k - size, ((2 * k - size) ** 2 - size) / 2]);
  const shares = (w: ArrayLike<number>) => {
    const logs = statistics.map((of, k) => Math.log(choose[k]) + w[0] * of[0] + w[1] * of[1]);
    const high = Math.max(...logs);
    const total = logs.reduce((sum, value) => sum + Math.exp(value - high), 0);
    return { p: logs.map((value) => Math.exp(value - high) / total), logZ: high + Math.log(total) };
  };
  const { p } = shares(truth);
  const seen = [0, 0];
  for (let copy = 0; copy < copies; copy++) {
    const first = copy * size;
    let left = draws.uniform();
    let ones = 0;
    while (ones < size && left >= p[ones]) left -= p[ones++];
    for (const i of seen.keys()) seen[i] += statistics[ones][i] / copies;
    for (let i = 0; i < size; i++) graph.variable();
    const order = Array.from({ length: size }, (_, i) => [draws.uniform(), i]).sort(([a], [b]) => a - b);
    for (const [place, [, i]] of order.entries()) graph.observe(first + i, place < ones);
    for (let i = 0; i < size; i++) {
      graph.isTrue(first + i, { weight: field });
      for (let j = 0; j < i; j++) graph.equal([first + i, first + j], { weight: alike });
    }
  }
  const loss = (w: ArrayLike<number>): { value: number; gradient: number[] } => {
    const at = shares(w);
    const mean = [0, 1].map((i) => at.p.reduce((sum, share, k) => sum + share * statistics[k][i], 0));
    return { value: (at.logZ - w[0] * seen[0] - w[1] * seen[1]) / size, gradient: mean.map((m, i) => (m - seen[i]) / size) };
  };
  return { graph, loss };
}
