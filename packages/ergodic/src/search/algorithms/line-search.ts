/**
 * Minimises φ(t) over all t, with one value per call and without derivatives. The search brackets a minimum with steps
 * that grow by the golden ratio, and then applies Brent's method.
 *
 * A search is a record of numbers, `Line`: call `beginLine` with φ(0) and a first step, then `learnLine` with
 * φ(line.at) until `line.stage` is done. `best` and `bestValue` hold the result, which is never above φ(0). Brent's
 * method starts from the three points of the bracket, so its first trial already finds the minimum of a parabola.
 * +Infinity counts as too high. NaN is not allowed. The search ends
 * - when the bracket is within `lineTolerance` (relative to |t|, or to the first step if t is smaller);
 * - when a parabola has predicted the value at its vertex to a tenth of the decrease, and the next move would be within
 *   that tolerance;
 * - when three bracketing values are equal, because nothing then shows where to search;
 * - or after 100 values.
 * Throws no errors. Source: Brent 1973, chapter 5. Differs: the second stopping condition is added. On a smooth line,
 * it saves two values.
 */
const GOLDEN = 1.618033988749895;
const SECTION = 0.3819660112501051;
const MOST_VALUES = 100;
/** Largest error at which a prediction counts as accurate, relative to the decrease that the parabola predicts. */
const TRUSTED = 0.1;

export const Stage = { first: 0, growing: 1, shrinking: 2, done: 3 } as const;

export interface Line extends Record<string, number> {
  stage: number;
  /** Position for which the next value is needed. */
  at: number;
  /**
   * The lowest value so far, and the second and third lowest. While the bracket grows, `left` is the point that
   * preceded `best`.
   */
  best: number;
  bestValue: number;
  second: number;
  secondValue: number;
  third: number;
  thirdValue: number;
  left: number;
  leftValue: number;
  right: number;
  /** Last move and the one before it. */
  move: number;
  moveBefore: number;
  firstStep: number;
  /**
   * Predicted value at the vertex of the parabola being tried, NaN if no parabola is being tried. `cameTrue` becomes 1
   * when a prediction is accurate.
   */
  foretold: number;
  cameTrue: number;
  values: number;
}

export function newLine(): Line {
  const points = { best: 0, bestValue: 0, second: 0, secondValue: 0, third: 0, thirdValue: 0, left: 0, leftValue: 0, right: 0 };
  return {
    stage: Stage.done,
    at: 0,
    ...points,
    move: 0,
    moveBefore: 0,
    firstStep: 0,
    foretold: Number.NaN,
    cameTrue: 0,
    values: 0,
  };
}

export function beginLine(line: Line, valueAtZero: number, firstStep: number): void {
  Object.assign(line, newLine(), { stage: Stage.first, at: firstStep, bestValue: valueAtZero, firstStep: Math.abs(firstStep) });
}

/** Learns that φ(line.at) is `value`. */
export function learnLine(line: Line, value: number, lineTolerance: number): void {
  line.values++;
  if (line.stage === Stage.shrinking) sort(line, value);
  else if (line.stage === Stage.first) {
    const falls = value < line.bestValue;
    [line.left, line.leftValue] = falls ? [0, line.bestValue] : [line.at, value];
    if (falls) [line.best, line.bestValue] = [line.at, value];
    grow(line);
    return;
  } else if (value < line.bestValue) {
    [line.left, line.leftValue, line.best, line.bestValue] = [line.best, line.bestValue, line.at, value];
    grow(line);
    return;
  } else bracket(line, value);
  if (line.stage === Stage.shrinking) plan(line, lineTolerance);
}

function grow(line: Line): void {
  line.at = line.best + GOLDEN * (line.best - line.left);
  line.stage = line.values < MOST_VALUES ? Stage.growing : Stage.done;
}

/**
 * Starts shrinking the bracket once the value beyond `best` is not lower, so that `left` and `at` enclose a minimum.
 */
function bracket(line: Line, value: number): void {
  const { left, leftValue, at } = line;
  line.stage = leftValue === line.bestValue && value === line.bestValue ? Stage.done : Stage.shrinking;
  const ends = leftValue <= value ? [left, leftValue, at, value] : [at, value, left, leftValue];
  [line.second, line.secondValue, line.third, line.thirdValue] = ends;
  [line.left, line.right] = [Math.min(left, at), Math.max(left, at)];
  line.move = line.moveBefore = line.right - line.left;
}

/** Updates the three best points with the trial, and narrows the bracket. */
function sort(line: Line, value: number): void {
  const { at, best, bestValue, second, secondValue } = line;
  if (value <= bestValue) {
    if (Math.abs(value - line.foretold) <= TRUSTED * (bestValue - line.foretold)) line.cameTrue = 1;
    if (at >= best) line.left = best;
    else line.right = best;
    [line.third, line.thirdValue, line.second, line.secondValue] = [second, secondValue, best, bestValue];
    [line.best, line.bestValue] = [at, value];
    return;
  }
  if (at < best) line.left = at;
  else line.right = at;
  if (value <= secondValue || second === best) {
    [line.third, line.thirdValue, line.second, line.secondValue] = [second, secondValue, at, value];
  } else if (value <= line.thirdValue || line.third === best || line.third === second) {
    [line.third, line.thirdValue] = [at, value];
  }
}

/** Chooses Brent's next trial, or ends the search. */
function plan(line: Line, lineTolerance: number): void {
  const { best, left, right } = line;
  const middle = (left + right) / 2;
  const tolerance = lineTolerance * Math.max(Math.abs(best), line.firstStep);
  const parabola = toVertex(line);
  const close = Math.abs(best - middle) <= 2 * tolerance - (right - left) / 2;
  if (close || (line.cameTrue && Math.abs(parabola) < tolerance) || line.values >= MOST_VALUES) {
    line.stage = Stage.done;
    return;
  }
  const trial = best + parabola;
  line.foretold = Number.NaN;
  if (trial > left && trial < right && Math.abs(parabola) < Math.abs(line.moveBefore) / 2) {
    const nearEnd = trial - left < 2 * tolerance || right - trial < 2 * tolerance;
    if (!nearEnd) line.foretold = line.bestValue - curvature(line) * parabola * parabola;
    [line.moveBefore, line.move] = [line.move, nearEnd ? Math.sign(middle - best) * tolerance : parabola];
  } else {
    line.moveBefore = (best >= middle ? left : right) - best;
    line.move = SECTION * line.moveBefore;
  }
  line.at = best + (Math.abs(line.move) >= tolerance ? line.move : Math.sign(line.move) * tolerance);
  // A tolerance below the spacing of floats would request the same value forever.
  if (line.at === best) line.stage = Stage.done;
}

/**
 * Returns the step from the best of three points to the vertex of the parabola through them; NaN if this parabola has
 * no vertex.
 */
function toVertex({ best, bestValue, second, secondValue, third, thirdValue }: Line): number {
  const r = (best - second) * (bestValue - thirdValue);
  const q = (best - third) * (bestValue - secondValue);
  return ((best - second) * r - (best - third) * q) / (2 * (q - r));
}

/** Returns half the second derivative of the parabola through the three points. */
function curvature({ best, bestValue, second, secondValue, third, thirdValue }: Line): number {
  return ((secondValue - bestValue) / (second - best) - (thirdValue - bestValue) / (third - best)) / (second - third);
}
