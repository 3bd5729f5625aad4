/**
 * Minimises φ(α) over α > 0, using only values of φ. Grows or shrinks a first guess until the minimum is bracketed, and
 * then applies Brent's method. Non-finite values count as too high. Never throws. If no α gives a value below φ(0),
 * stepSize is 0.
 *
 * Source: Brent 1973, chapter 5; bracket by the golden ratio.
 */
const GOLDEN = 1.618033988749895;
const SECTION = 0.3819660112501051;

export interface LineMinimum {
  stepSize: number;
  loss: number;
  evaluations: number;
}

interface Point {
  at: number;
  value: number;
}

export function minimiseLine(
  value: (stepSize: number) => number,
  valueAtZero: number,
  guess: number,
  { tolerance, maxEvaluations }: { tolerance: unknown; maxEvaluations: unknown },
): LineMinimum {
  const most = Number(maxEvaluations);
  let evaluations = 0;
  const phi = (at: number): Point => {
    evaluations++;
    const v = value(at);
    return { at, value: Number.isFinite(v) ? v : Infinity };
  };
  let low: Point = { at: 0, value: valueAtZero };
  let middle = phi(guess);
  let high = middle;
  if (middle.value < valueAtZero) {
    high = phi(middle.at * GOLDEN);
    while (high.value < middle.value && evaluations < most) {
      low = middle;
      middle = high;
      high = phi(middle.at + GOLDEN * (middle.at - low.at));
    }
  } else {
    while (middle.value >= valueAtZero && evaluations < most) {
      high = middle;
      middle = phi(middle.at / 4);
    }
  }
  if (!(middle.value < valueAtZero)) return { stepSize: 0, loss: valueAtZero, evaluations };
  const found = brent(phi, low.at, high.at, middle, Number(tolerance), () => evaluations < most);
  return { stepSize: found.at, loss: found.value, evaluations };
}

function brent(
  phi: (at: number) => Point,
  left: number,
  right: number,
  start: Point,
  tolerance: number,
  may: () => boolean,
): Point {
  let [a, b] = [left, right];
  let [best, second, third] = [start, start, start];
  let step = 0;
  let before = 0;
  while (may()) {
    const middle = (a + b) / 2;
    const least = tolerance * Math.abs(best.at) + 1e-300;
    if (Math.abs(best.at - middle) <= 2 * least - (b - a) / 2) break;
    const parabola = parabolicStep(best, second, third);
    const inside = best.at + parabola > a && best.at + parabola < b;
    if (inside && Math.abs(parabola) < Math.abs(before) / 2) {
      before = step;
      step = parabola;
    } else {
      before = (best.at >= middle ? a : b) - best.at;
      step = SECTION * before;
    }
    const trial = phi(best.at + (Math.abs(step) >= least ? step : Math.sign(step) * least));
    if (trial.value <= best.value) {
      if (trial.at >= best.at) a = best.at;
      else b = best.at;
      [third, second, best] = [second, best, trial];
    } else {
      if (trial.at < best.at) a = trial.at;
      else b = trial.at;
      if (trial.value <= second.value || second === best) [third, second] = [second, trial];
      else if (trial.value <= third.value || third === best || third === second) third = trial;
    }
  }
  return best;
}

/**
 * Returns the step from the best of three points to the vertex of the parabola through them, or NaN if two points
 * coincide.
 */
function parabolicStep(x: Point, w: Point, v: Point): number {
  const r = (x.at - w.at) * (x.value - v.value);
  const q = (x.at - v.at) * (x.value - w.value);
  return ((x.at - w.at) * r - (x.at - v.at) * q) / (2 * (q - r)) || Number.NaN;
}
