import { CompileError } from "../../../../errors/errors.ts";
import { add, div, mul, sub } from "../../../primitives/arithmetic.ts";
import { pow } from "../../../primitives/functions.ts";
import { maximum } from "../../../primitives/reductions.ts";
import { abs, and, equal, less, lessEqual, max, min, stopGradient, where } from "../../../primitives/selection.ts";
import { callback, number, operand, operation, optional, options, text, whole } from "../../../signature.ts";
import { userLine } from "../../position.ts";
import { type ArrayLikeOperand, type SymbolicArray, shapeError, shapeText } from "../../symbolic.ts";
import { full, toArray } from "../constants.ts";
import { stack } from "../places.ts";
import { reshape } from "../reshape.ts";
import { scan } from "../scan.ts";
import { closeScan, freshLeaf } from "../scan-node.ts";
import { dormandPrince } from "./dormand-prince.ts";
import type { Method } from "./methods.ts";
import { rosenbrock } from "./rosenbrock.ts";
import { type Slope, type State, System, sizeOf, type Tolerances } from "./system.ts";
import { checkFinite, checkTimes } from "./times.ts";
import { noteSolution } from "./watch.ts";

export type { Slope };

const methods = { dormandPrince, rosenbrock } satisfies Record<string, Method>;

/** Options of `ode`. */
export interface OdeOptions {
  /** Start time. Default 0. */
  readonly from?: ArrayLikeOperand;
  /**
   * Integration method. "dormandPrince": explicit, of order 5. "rosenbrock": implicit, of order 4, for stiff systems.
   * Default "dormandPrince".
   */
  readonly method?: keyof typeof methods;
  /**
   * Relative tolerance: the error of a step in a component y of the state is at most tolerance · |y| +
   * absoluteTolerance. Default 1e-6.
   */
  readonly tolerance?: number;
  /** Absolute tolerance. Default: the value of `tolerance`, which explains its effect. */
  readonly absoluteTolerance?: number;
  /**
   * Largest number of steps between two times, including rejected steps. All later states are NaN if more steps than
   * this would be needed. Default 10 000.
   */
  readonly maxSteps?: number;
}

/** Result of `ode`. */
export interface OdeSolution {
  /**
   * States at the times, [T, …]. If the solution does not reach a time, the states at this time and all later times are
   * NaN.
   */
  readonly states: SymbolicArray;
  /** Total number of steps. */
  readonly steps: SymbolicArray;
  /**
   * Estimated error of the states: their largest difference from a solution at a hundredth of the tolerance.
   * Differences are relative to |y| or to absoluteTolerance / tolerance, whichever is larger. The second solution is
   * computed only if this value is used.
   */
  readonly error: SymbolicArray;
}

/**
 * Smallest and largest ratio of consecutive step lengths, and a safety factor for the step length that the error
 * allows.
 */
const [SHRINK, GROW, SAFETY] = [0.2, 10, 0.9];
/** If a step would end this close to the next time, it is stretched to end exactly at that time. */
const STRETCH = 1.01;
/**
 * Smallest tolerance that is used for the second solution, which estimates the error. Below this tolerance, rounding
 * errors would dominate.
 */
const STRICTEST = 1e-13;

/**
 * Solves the ordinary differential equation y' = f(t, y) from y(from) = start, at times that do not decrease.
 *
 * `slope`: (t, y) → f, traced once. The state y and f have the shape of `start`. If `slope` uses arrays of the
 * surrounding program, these arrays are parameters of the equation. `times`: [T].
 * Step sizes adapt to the estimated error of each step, and steps end exactly at the times. Derivatives are those of
 * the computed states, with step sizes treated as constants. To compute a derivative, the solver goes backwards from
 * each time to the previous time. On the way, it recomputes every step and differentiates it. The derivative needs
 * memory for the states of `maxSteps` steps. The cost of a derivative does not depend on the number of parameters.
 * Source: Hairer, Nørsett, Wanner, Solving Ordinary Differential Equations I, 1993, II.4. Differs from Stan: step sizes
 * depend only on the errors of the states, and states are not interpolated.
 *
 * @throws CompileError for a slope of another shape, times that decrease or begin before `from`, and options that are
 * out of range
 */
export const ode = operation(
  "ode",
  {
    slope: callback,
    start: operand,
    times: operand,
    options: optional(options({ from: operand, method: text, tolerance: number, absoluteTolerance: number, maxSteps: whole })),
  },
  (
    slope: Slope,
    start: ArrayLikeOperand | ArrayLike<number>,
    times: ArrayLikeOperand | ArrayLike<number>,
    given: OdeOptions = {},
  ): OdeSolution => {
    const [y, at, from] = [toArray(start), toArray(times), toArray(given.from ?? 0)];
    const plan = planOf(given);
    if (at.rank !== 1 || from.rank !== 0)
      throw shapeError(
        "ode",
        `times are ${shapeText(at.shape)} and from is ${shapeText(from.shape)}, but [T] and one number are wanted`,
      );
    checkFinite("start", y);
    checkTimes(from, at);
    const system = new System(slope, y.shape);
    const { states, steps } = solved(system, y, at, from, plan);
    const solution = {
      states,
      steps,
      get error() {
        const { relative, absolute } = plan.tolerances;
        const better = solved(system, y, at, from, stricter(plan)).states;
        return maximum(div(abs(sub(states, better)), max(abs(better), absolute / relative)));
      },
    };
    noteSolution({
      ...{
        from,
        times: at,
        states,
        steps,
        tolerance: plan.tolerances.relative,
        method: plan.method.name,
        maxSteps: plan.maxSteps,
      },
      get error() {
        return solution.error;
      },
    });
    return solution;
  },
);

/** Returns a plan with a hundredth of the tolerance and ten times as many steps. */
function stricter(plan: Plan): Plan {
  const { relative, absolute } = plan.tolerances;
  const by = Math.max(0.01, STRICTEST / relative);
  return { ...plan, tolerances: { relative: relative * by, absolute: absolute * by }, maxSteps: plan.maxSteps * 10 };
}

interface Plan {
  readonly method: Method;
  readonly tolerances: Tolerances;
  readonly maxSteps: number;
}

function planOf({
  method = "dormandPrince",
  tolerance = 1e-6,
  absoluteTolerance = tolerance,
  maxSteps = 10_000,
}: OdeOptions): Plan {
  const wrong = (message: string): CompileError => new CompileError("ode", `${message}${userLine()}`, "COMPILE_OPTION");
  if (!Object.hasOwn(methods, method))
    throw wrong(
      `the method is "${method}", but must be ${Object.keys(methods)
        .map((name) => `"${name}"`)
        .join(" or ")}`,
    );
  if (!(tolerance >= 1e-12 && tolerance < 1))
    throw wrong(`tolerance is ${tolerance}, but must be from 1e-12 on and below 1; write tolerance: 1e-6`);
  if (!(absoluteTolerance > 0 && absoluteTolerance < Infinity))
    throw wrong(
      `absoluteTolerance is ${absoluteTolerance}, but must be above 0, since states pass through 0; write absoluteTolerance: 1e-9`,
    );
  if (maxSteps < 1) throw wrong(`maxSteps is ${maxSteps}, but must be 1 or more`);
  return { method: methods[method], tolerances: { relative: tolerance, absolute: absoluteTolerance }, maxSteps };
}

/** Solves by a scan over the times. Each step of the scan is a loop of integration steps that ends at the next time. */
function solved(
  system: System,
  start: SymbolicArray,
  times: SymbolicArray,
  from: SymbolicArray,
  plan: Plan,
): { states: SymbolicArray; steps: SymbolicArray } {
  const y = system.parts(start);
  const kept = plan.method.kept(system, from, y);
  const h = firstLength(system, from, y, plan);
  const { carries, outputs } = scan([full(0), h, from, ...y, ...kept], [times], ([steps, length, t, ...own], [end]) => {
    const reached = advanced(system, plan, { h: length, t, y: own.slice(0, y.length), kept: own.slice(y.length) }, end);
    return [[add(steps, reached.steps), reached.h, reached.t, ...reached.y, ...reached.kept], reached.y];
  });
  const columns = outputs.map((column) => reshape(column, [times.size, -1]));
  const all = columns.length === 1 ? columns[0] : reshape(stack(outputs, 1), [times.size, start.size]);
  return { states: reshape(all, [times.size, ...start.shape]), steps: carries[0] };
}

interface Place {
  readonly h: SymbolicArray;
  readonly t: SymbolicArray;
  readonly y: State;
  readonly kept: State;
}

/**
 * Advances to the time `end`. Returns the number of steps and the state at that time. The state is NaN if the time was
 * not reached.
 */
function advanced(
  system: System,
  { method, tolerances, maxSteps }: Plan,
  start: Place,
  end: SymbolicArray,
): Place & { steps: SymbolicArray } {
  const leaves = (like: State): SymbolicArray[] => like.map((x) => freshLeaf(x.shape));
  const [left, count, h, t] = leaves([full(0), full(0), full(0), full(0)]);
  const [y, kept] = [leaves(start.y), leaves(start.kept)];
  const rest = sub(end, t);
  const lands = lessEqual(rest, mul(STRETCH, h));
  const length = where(lands, rest, h);
  const step = method.step(system, t, length, y, kept);
  const error = sizeOf(step.error, y, step.next, tolerances);
  const accepted = lessEqual(error, 1);
  const factor = min(GROW, max(SHRINK, mul(SAFETY, pow(error, -1 / method.order))));
  // A NaN error shortens the step, like a large error.
  const proposed = mul(length, where(less(error, Infinity), factor, SHRINK));
  const after = where(lands, end, add(t, length));
  const nextT = where(accepted, after, t);
  // The last step before a time is shortened to end at this time, so it must not limit the length of the next step.
  const nextH = where(and(accepted, lands), max(h, proposed), proposed);
  const isDone = and(accepted, lands);
  const taken = (to: State, back: State): SymbolicArray[] => to.map((x, i) => where(accepted, x, back[i]));
  const first = where(less(start.t, end), 1, where(equal(start.t, end), 0, -1));
  const made = closeScan(
    {
      length: maxSteps,
      reverse: false,
      end: { place: "kept", control: 3, smooth: [after, ...step.next, ...step.kept] },
      carries: [left, count, h, t, ...y, ...kept],
      over: [],
      // First carry: 1 if steps remain, 0 if the time was reached, −1 if no step is short enough.
      next: [
        where(isDone, 0, where(less(nextT, add(nextT, nextH)), 1, -1)),
        add(count, accepted),
        nextH,
        nextT,
        ...taken(step.next, y),
        ...taken(step.kept, kept),
      ],
      outputs: [],
    },
    [first, full(0), start.h, start.t, ...start.y, ...start.kept],
    [],
  );
  const [state, steps, lastH, lastT, ...own] = made.carries;
  const isReached = equal(state, 0);
  return {
    steps,
    h: lastH,
    t: where(isReached, lastT, NaN),
    y: own.slice(0, y.length).map((x) => where(isReached, x, NaN)),
    kept: own.slice(y.length),
  };
}

/**
 * Returns the length of the first step: a hundredth of the length that slope and curvature allow. Source: Hairer,
 * Nørsett, Wanner 1993, II.4.
 */
function firstLength(system: System, t: SymbolicArray, y: State, { method, tolerances }: Plan): SymbolicArray {
  const size = (state: State): SymbolicArray => sizeOf(state, y, y, tolerances);
  const slope = system.slope(t, y);
  const [d0, d1] = [size(y), size(slope)];
  const h0 = where(and(less(1e-5, d0), less(1e-5, d1)), div(mul(0.01, d0), d1), 1e-6);
  const there = system.slope(
    add(t, h0),
    y.map((x, i) => add(x, mul(h0, slope[i]))),
  );
  const d2 = div(size(there.map((x, i) => sub(x, slope[i]))), h0);
  const steepest = max(d1, d2);
  const h1 = where(lessEqual(steepest, 1e-15), max(1e-6, mul(1e-3, h0)), pow(div(0.01, steepest), 1 / method.order));
  return stopGradient(min(mul(100, h0), h1));
}
