/**
 * Plain twin of one epoch of kernels/learning/dual.ts. It uses the losses themselves, whereas the kernel has closed
 * forms of their duals. The logistic loss has a twin of its Newton iteration, which stops before it is exact.
 */
import { exp } from "../../src/engine/numbers/exp.ts";
import type { Stream } from "../../src/engine/random/stream.ts";

export interface DualLoss {
  /** Smallest and largest β of a row with cost C and target y. */
  bounds(C: number, y: number): [number, number];
  /** Derivatives of (Cℓ)*(−β) to the left and right of β. */
  slopes(beta: number, C: number, y: number): [number, number];
}

const kinked = (beta: number, y: number, epsilon: number): [number, number] => [
  -y + (beta > 0 ? epsilon : -epsilon),
  -y + (beta >= 0 ? epsilon : -epsilon),
];
const smooth = (slope: number): [number, number] => [slope, slope];
const logit = (a: number, C: number): number => Math.log(a / (C - a));

export const dualLosses: Record<string, DualLoss> = {
  hinge: { bounds: (C, y) => (y > 0 ? [0, C] : [-C, 0]), slopes: (_b, _C, y) => smooth(-y) },
  squaredHinge: { bounds: (_C, y) => (y > 0 ? [0, Infinity] : [-Infinity, 0]), slopes: (b, C, y) => smooth(b / (2 * C) - y) },
  epsilonInsensitive: { bounds: (C) => [-C, C], slopes: (b, _C, y) => kinked(b, y, 0.1) },
  quantile: { bounds: (C) => [-0.5 * C, 0.5 * C], slopes: (_b, _C, y) => smooth(-y) },
  squared: { bounds: () => [-Infinity, Infinity], slopes: (b, C, y) => smooth(b / C - y) },
  huber: { bounds: (C) => [-C, C], slopes: (b, C, y) => smooth(b / C - y) },
  logistic: { bounds: (C, y) => (y > 0 ? [0, C] : [-C, 0]), slopes: (b, C, y) => smooth(y * logit(Math.abs(b), C)) },
};

/** The β at which `slope`, which rises, crosses zero, found by bisection. */
function root(slope: (beta: number) => [number, number], from: number, to: number, start: number): number {
  let [below, above] = [from, to];
  for (let reach = 1; below === -Infinity; reach *= 2) if (slope(start - reach)[0] < 0) below = start - reach;
  for (let reach = 1; above === Infinity; reach *= 2) if (slope(start + reach)[1] > 0) above = start + reach;
  for (let k = 0; k < 200 && below < above; k++) {
    const middle = (below + above) / 2;
    const [left, right] = slope(middle);
    if (left <= 0 && right >= 0) return middle;
    if (right < 0) below = middle;
    else above = middle;
  }
  return (below + above) / 2;
}

/**
 * Solves s + margin + q (C σ(s) − before) = 0, starting at s, until the left side has fallen to a tenth. Its slope is
 * at least 1.
 */
function logitStep(s: number, margin: number, q: number, C: number, before: number): { s: number; alpha: number } {
  const off = s + margin;
  let [below, above] = [Math.min(s, s - off), Math.max(s, s - off)];
  let t = s - off / (1 + q * before * (1 - before / C));
  for (;;) {
    const share = t > 0 ? 1 / (1 + exp(-t)) : exp(t) / (1 + exp(t));
    const f = t + margin + q * (C * share - before);
    if (Math.abs(f) <= 0.1 * Math.abs(off)) return { s: t, alpha: C * share };
    if (f < 0) below = t;
    else above = t;
    const next = t - f / (1 + q * C * share * (1 - share));
    t = next > below && next < above ? next : (below + above) / 2;
  }
}

export interface AscentTwin {
  beta: Float64Array;
  p: Float64Array;
  /** Number of rows that left during the passes. */
  left: number;
}

/**
 * Makes `visits` visits from β (for the logistic loss also from its `logit`) in random order. Rows leave at a tenth of
 * the largest violation in the previous pass.
 */
export function ascentTwin(
  x: number[][],
  y: number[],
  C: number[],
  loss: DualLoss,
  start: Float64Array,
  { visits, stream, logit }: { visits: number; stream: Stream; logit?: number },
): AscentTwin {
  const beta = start.slice();
  const logits = logit === undefined ? undefined : new Float64Array(x.length).fill(logit);
  const p = new Float64Array(x[0].length);
  const add = (i: number, change: number): void => {
    for (const [j, v] of x[i].entries()) p[j] += change * v;
  };
  const dot = (i: number): number => x[i].reduce((sum, v, j) => sum + v * p[j], 0);
  for (const [i, b] of beta.entries()) add(i, b);
  const off = (i: number): [violation: number, slack: number] => {
    const [from, to] = loss.bounds(C[i], y[i]);
    const [left, right] = loss.slopes(beta[i], C[i], y[i]).map((s) => s + dot(i));
    const violation = Math.max(beta[i] < to ? -right : 0, beta[i] > from ? left : 0, 0);
    return [violation, Math.min(beta[i] >= to ? Infinity : right, beta[i] <= from ? Infinity : -left)];
  };
  let active = x.map((_, i) => i).filter((i) => C[i] > 0);
  let limit = Math.max(...active.map((i) => off(i)[0]));
  let left = 0;
  for (let pass = 0, made = 0; made < visits; pass++) {
    const draws = stream.at(pass);
    for (let k = active.length; k > 1; k--) {
      const j = draws.integer(k);
      [active[k - 1], active[j]] = [active[j], active[k - 1]];
    }
    let largest = 0;
    for (let at = 0; at < active.length && made < visits; made++) {
      const i = active[at];
      const [violation, slack] = off(i);
      largest = Math.max(largest, violation);
      if (violation === 0 && !logits && slack > 0.1 * limit) {
        active[at] = active[active.length - 1];
        active = active.slice(0, -1);
        left++;
        continue;
      }
      at++;
      if (violation === 0) continue;
      const margin = dot(i);
      const square = x[i].reduce((sum, v) => sum + v * v, 0);
      const before = beta[i];
      if (logits) {
        const moved = logitStep(logits[i], y[i] * margin, square, C[i], y[i] * before);
        logits[i] = moved.s;
        beta[i] = y[i] * moved.alpha;
        add(i, beta[i] - before);
        continue;
      }
      const slope = (b: number): [number, number] => {
        const [l, r] = loss.slopes(b, C[i], y[i]);
        return [l + margin + square * (b - before), r + margin + square * (b - before)];
      };
      beta[i] = root(slope, ...loss.bounds(C[i], y[i]), before);
      add(i, beta[i] - before);
    }
    limit = largest || Infinity;
  }
  return { beta, p, left };
}
