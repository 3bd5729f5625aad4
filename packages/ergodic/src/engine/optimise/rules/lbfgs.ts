import { absoluteSum, addScaled, difference, dot, largest, negated, scaled } from "../dense.ts";
import { hostRule, keepState } from "../host-rule.ts";
import type { HostReport } from "../kinds.ts";
import { notNegative, positive } from "../rule.ts";
import { along, type LinePoint, type LineSearch, made, singleStep, strongWolfe, wolfeDefaults } from "../wolfe.ts";

/**
 * L-BFGS: x ← x + α d, where d = −H ∇f(x). The two-loop recursion applies H, which is built from the last m pairs s =
 * Δx, y = Δ∇f.
 *
 * m: `history` ≥ 1. α is found by a strong Wolfe search from `rate` (`search` "strongWolfe") or is `rate` itself
 * ("none"); the first step is shortened to min(1, 1/‖g‖₁) · rate. A pair is only stored if sᵀy > min(1e-10,
 * `changeTolerance` / 10). Stops if |g|_∞ ≤ `gradientTolerance`, if d is not a descent direction, or if x or f changes
 * by less than `changeTolerance`. State: at most 2m + 1 float64 per parameter. Needs the full objective. Source:
 * Nocedal 1980; Liu, Nocedal 1989. Visits the same points as PyTorch's LBFGS, whose default history_size is 100.
 */
export const lbfgs = hostRule(
  "lbfgs",
  { rate: 1, history: 10, search: "strongWolfe", gradientTolerance: 1e-7, changeTolerance: 1e-9 },
  (given, objective, count) => {
    const options = given as {
      rate: number;
      history: number;
      search: string;
      gradientTolerance: number;
      changeTolerance: number;
    };
    const state = {
      numbers: { loss: Number.NaN, scale: 1, started: 0 },
      arrays: { gradient: [] as Float64Array[], s: [] as Float64Array[], y: [] as Float64Array[] },
    };
    const { numbers, arrays } = state;
    const kept = keepState(state);
    return {
      ...kept,
      get stateBytes() {
        return kept.stateBytes;
      },
      misfit({ arrays: { gradient, s, y } }) {
        if (gradient.length > 1) return `it holds ${gradient.length} gradients, not one`;
        if (s.length === y.length && s.length <= options.history) return undefined;
        return `it holds ${s.length} steps and ${y.length} changes of the gradient, but equal numbers of both are needed, at most ${options.history}`;
      },
      step(x) {
        return made(this.steps!(x), objective);
      },
      *steps(x) {
        let evaluations = 0;
        if (arrays.gradient.length === 0) {
          const gradient = new Float64Array(count);
          numbers.loss = yield { x, gradient };
          arrays.gradient.push(gradient);
          evaluations++;
        }
        const gradient = arrays.gradient[0];
        const here: LinePoint = { stepSize: 0, loss: numbers.loss, slope: 0, gradient };
        const end = (stopped: string): HostReport => ({ loss: numbers.loss, stepSize: 0, evaluations, stopped });
        if (largest(gradient) <= options.gradientTolerance) return end("the gradient is within its tolerance");
        const d = direction(gradient, arrays.s, arrays.y, numbers.scale);
        here.slope = dot(gradient, d);
        // The first direction is the negative gradient. The slope −‖g‖² along it does not measure progress, because
        // this slope is tiny if the objective is small.
        if (!(here.slope <= (numbers.started ? -options.changeTolerance : 0))) {
          return end(Number.isNaN(here.slope) ? "the gradient is not a number" : "the direction no longer descends");
        }
        const first = numbers.started ? options.rate : Math.min(1, 1 / absoluteSum(gradient)) * options.rate;
        const walked = yield* along(x, d, searchOf(d, here, first, options));
        evaluations += walked.evaluations;
        addScaled(x, walked.point.stepSize, d);
        remember(state, walked.point, d, options);
        const change = Math.abs(walked.point.loss - here.loss);
        const still = walked.point.stepSize * largest(d) <= options.changeTolerance || change < options.changeTolerance;
        const { loss, stepSize } = walked.point;
        return { loss, stepSize, evaluations, stopped: still ? "neither the point nor the objective changes" : null };
      },
    };
  },
  {
    summary: "quasi-Newton steps from the curvature of recent steps",
    source: "Nocedal 1980; Liu, Nocedal 1989",
    needs: () => "pairs of gradients of different batches say nothing about curvature; use adam() for minibatches",
    cost: ({ history }) => ({
      floatsPerParameter: 2 * Number(history) + 1,
      perStep: "one or two gradients of the objective, and 4m operations per parameter",
    }),
    ranges: {
      search: ["strongWolfe", "none"],
      rate: positive,
      history: { low: 1, integer: true },
      gradientTolerance: notNegative,
      changeTolerance: notNegative,
    },
  },
);

/** Returns −H g by the two-loop recursion. */
function direction(gradient: Float64Array, s: Float64Array[], y: Float64Array[], scale: number): Float64Array {
  const q = negated(gradient);
  const weights = new Array<number>(s.length);
  const products = s.map((each, i) => dot(y[i], each));
  for (let i = s.length - 1; i >= 0; i--) {
    weights[i] = dot(s[i], q) / products[i];
    addScaled(q, -weights[i], y[i]);
  }
  for (let i = 0; i < q.length; i++) q[i] *= scale;
  for (let i = 0; i < s.length; i++) addScaled(q, weights[i] - dot(y[i], q) / products[i], s[i]);
  return q;
}

function searchOf(
  d: Float64Array,
  here: LinePoint,
  first: number,
  { search, changeTolerance }: { search: string; changeTolerance: number },
): LineSearch {
  if (search === "none") return singleStep(first);
  const tolerance = Math.min(wolfeDefaults.tolerance, changeTolerance);
  return strongWolfe(here, first, largest(d), { ...wolfeDefaults, tolerance });
}

function remember(
  {
    numbers,
    arrays,
  }: { numbers: Record<"loss" | "scale" | "started", number>; arrays: Record<"gradient" | "s" | "y", Float64Array[]> },
  point: LinePoint,
  d: Float64Array,
  { history, changeTolerance }: { history: number; changeTolerance: number },
): void {
  const y = difference(point.gradient, arrays.gradient[0]);
  const s = scaled(d, point.stepSize);
  const ys = dot(y, s);
  if (ys > Math.min(1e-10, changeTolerance / 10)) {
    if (arrays.s.length === history) {
      arrays.s.shift();
      arrays.y.shift();
    }
    arrays.s.push(s);
    arrays.y.push(y);
    numbers.scale = ys / dot(y, y);
  }
  arrays.gradient[0] = point.gradient;
  numbers.loss = point.loss;
  numbers.started = 1;
}
