/**
 * Strong Wolfe search along a direction d: finds α with φ(α) ≤ φ(0) + c₁ α φ'(0) and |φ'(α)| ≤ c₂ |φ'(0)|, where φ(α) =
 * f(x + α d).
 *
 * The search first brackets α by growing steps (cubic extrapolation, between 1 % and 10 times further). The search then
 * zooms in by cubic interpolation. When progress is slow, trial points keep a distance of a tenth of the bracket from
 * its ends. After 25 evaluations, the search returns the best point so far.
 * Source: Nocedal, Wright 2006, algorithms 3.5 and 3.6, with the safeguards of minFunc (Schmidt 2005). PyTorch's LBFGS
 * also follows minFunc, so both visit the same points.
 */
import { dot } from "./dense.ts";
import type { Evaluations, Objective } from "./kinds.ts";

export interface LinePoint {
  stepSize: number;
  loss: number;
  slope: number;
  gradient: Float64Array;
}

export interface WolfeOptions {
  c1: number;
  c2: number;
  maxEvaluations: number;
  /** Smallest allowed product of the bracket's width and the largest entry of d. */
  tolerance: number;
}
export const wolfeDefaults: WolfeOptions = { c1: 1e-4, c2: 0.9, maxEvaluations: 25, tolerance: 1e-9 };

/** Result of a search, and the number of evaluations that the search used. */
export interface LineFound {
  point: LinePoint;
  evaluations: number;
}

/** A line search, which yields step sizes α and receives the points at these step sizes. */
export type LineSearch = Generator<number, LineFound, LinePoint>;

/** `start` is the point at 0; `scale` is the largest entry of d. */
export function* strongWolfe(
  start: LinePoint,
  first: number,
  scale: number,
  { c1, c2, maxEvaluations, tolerance }: WolfeOptions = wolfeDefaults,
): LineSearch {
  const tooHigh = (p: LinePoint): boolean => p.loss > start.loss + c1 * p.stepSize * start.slope;
  const flat = (p: LinePoint): boolean => Math.abs(p.slope) <= -c2 * start.slope;
  let previous = start;
  let current = yield first;
  let evaluations = 1;
  let bracket: [LinePoint, LinePoint] | undefined;
  for (let grown = 0; grown < maxEvaluations; grown++) {
    if (tooHigh(current) || (grown > 1 && current.loss >= previous.loss)) bracket = [previous, current];
    else if (flat(current)) return { point: current, evaluations };
    else if (current.slope >= 0) bracket = [previous, current];
    if (bracket) break;
    const low = current.stepSize + 0.01 * (current.stepSize - previous.stepSize);
    const next = yield cubicMinimum(previous, current, low, current.stepSize * 10);
    evaluations++;
    previous = current;
    current = next;
  }
  if (!bracket) return { point: start.loss <= current.loss ? start : current, evaluations };

  let [low, high] = bracket[0].loss <= bracket[1].loss ? bracket : [bracket[1], bracket[0]];
  let slow = false;
  while (evaluations <= maxEvaluations && Math.abs(low.stepSize - high.stepSize) * scale >= tolerance) {
    const trial = safeguarded(low, high, slow);
    slow = trial.slow;
    const point = yield trial.stepSize;
    evaluations++;
    if (tooHigh(point) || point.loss >= low.loss) {
      high = point;
      if (high.loss < low.loss) [low, high] = [high, low];
    } else {
      if (flat(point)) return { point, evaluations };
      if (point.slope * (high.stepSize - low.stepSize) >= 0) high = low;
      low = point;
    }
  }
  return { point: low, evaluations };
}

/** Returns the next trial point within a bracket, and whether the point is close to an end. */
function safeguarded(a: LinePoint, b: LinePoint, slow: boolean): { stepSize: number; slow: boolean } {
  const left = Math.min(a.stepSize, b.stepSize);
  const right = Math.max(a.stepSize, b.stepSize);
  const stepSize = cubicMinimum(a, b, left, right);
  const margin = 0.1 * (right - left);
  if (Math.min(right - stepSize, stepSize - left) >= margin) return { stepSize, slow: false };
  if (!slow && stepSize < right && stepSize > left) return { stepSize, slow: true };
  return { stepSize: right - stepSize < stepSize - left ? right - margin : left + margin, slow: false };
}

/**
 * Returns the minimum within [low, high] of the cubic through two points with given slopes. If the cubic has no
 * minimum, returns the middle.
 */
function cubicMinimum(p: LinePoint, q: LinePoint, low: number, high: number): number {
  const [a, b] = p.stepSize <= q.stepSize ? [p, q] : [q, p];
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.stepSize - b.stepSize);
  const squared = d1 * d1 - a.slope * b.slope;
  if (!(squared >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(squared);
  const minimum = b.stepSize - (b.stepSize - a.stepSize) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  return Number.isNaN(minimum) ? (low + high) / 2 : Math.min(Math.max(minimum, low), high);
}

/** A search that accepts its first point under any condition. */
export function* singleStep(stepSize: number): LineSearch {
  return { point: yield stepSize, evaluations: 1 };
}

/** Runs a search along x + αd. Each point has its own gradient array, so that later evaluations do not overwrite it. */
export function* along(x: Float64Array, d: Float64Array, search: LineSearch): Evaluations<LineFound> {
  const moved = new Float64Array(x.length);
  let next = search.next();
  while (!next.done) {
    const stepSize = next.value;
    for (let i = 0; i < x.length; i++) moved[i] = x[i] + stepSize * d[i];
    const gradient = new Float64Array(x.length);
    const loss = yield { x: moved, gradient };
    next = search.next({ stepSize, loss, slope: dot(gradient, d), gradient });
  }
  return next.value;
}

/** Runs a line search or a similar computation. Every value that it requests is computed immediately. */
export function made<T>(asking: Evaluations<T>, objective: Objective): T {
  let next = asking.next();
  while (!next.done) next = asking.next(objective(next.value.x, next.value.gradient));
  return next.value;
}
