/**
 * Starting points of chains. The points are given in the plan, or drawn uniformly in (−2, 2) for each coordinate.
 * Random points are redrawn at most 100 times until the log density and its gradient are finite.
 *
 * Attempt i of a chain uses update i of its stream "start". Source: Stan's defaults.
 *
 * @throws ErgodicError if no point is usable
 */

import type { LogDensity } from "../../../engine/contract/index.ts";
import { checkFunction, holds, made, refuse } from "../../../engine/errors/checks.ts";
import { ErgodicError } from "../../../engine/errors/errors.ts";
import { isListOf } from "../../../engine/errors/list-of.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import type { Draws, Stream } from "../../../engine/random/stream.ts";
import type { SamplingPlan } from "./sampler.ts";

const MOST_ATTEMPTS = 100;

/** A chain that can be placed at a starting point. */
export interface Placed {
  /** Position of the chain, as a writable view. */
  readonly position: Float64Array;
  /** View of the gradient. Evaluations write their gradient to it. Absent if no gradient is needed. */
  readonly gradient?: Float64Array;
  /** The chain's stream "start". */
  readonly starts: Stream;
  /** Log density at the position, set by `placeChains`. */
  logDensity: number;
  /** Draws another random point. If undefined, each coordinate is drawn uniformly in (−2, 2). */
  drawPoint?(draws: Draws): void;
  /** Kernel call that returns the log density at the position and writes its gradient. */
  evaluation(): Call;
}

/**
 * Places chains at their starting points. The points are given in the plan. Otherwise, each coordinate is drawn
 * uniformly in (−2, 2), and points are redrawn at most 100 times until density and gradient are finite.
 *
 * `run` evaluates the densities. @throws ErgodicError [SAMPLE_START] if no point has a finite log density and gradient
 */
export async function placeChains(
  where: string,
  chains: readonly Placed[],
  plan: SamplingPlan,
  run: (calls: Call[]) => Promise<number[]>,
): Promise<void> {
  if (!isListOf(chains, (chain) => holds(chain, "position")))
    refuse("placeChains", "chains", chains, "a list of chains with a position each", "placeChains(name, chains, plan, run)");
  made("placeChains", plan, "warmup", "the plan of a sampler", "the plan that start() was given", "third");
  checkFunction("placeChains", "run", run, "a function of kernel calls", "(calls) => engine.pool.run(calls)");
  const { start, explain } = plan;
  const attempts = start ? 1 : MOST_ATTEMPTS;
  let waiting = chains.map((_, c) => c);
  for (let attempt = 0; attempt < attempts && waiting.length > 0; attempt++) {
    for (const c of waiting) {
      place(chains[c], c, start, attempt);
    }
    const values = await run(waiting.map((c) => chains[c].evaluation()));
    waiting = waiting.filter((c, i) => {
      chains[c].logDensity = values[i];
      return !(Number.isFinite(values[i]) && (chains[c].gradient?.every(Number.isFinite) ?? true));
    });
  }
  if (waiting.length === 0) return;
  const [first] = waiting;
  const points = Array.from({ length: attempts }, (_, attempt) => place(chains[first], first, start, attempt).slice());
  const reason = explain?.(points);
  const tried = start ? "the given starting point has" : `${MOST_ATTEMPTS} random points in (-2, 2) have`;
  throw new ErgodicError(
    where,
    `${tried} no finite log density and gradient for chain ${first}${reason ? `: ${reason}` : ""}; give a starting point that has, or check the model's supports`,
    "SAMPLE_START",
  );
}

/** Places chain c at the starting point of the given attempt. */
function place(chain: Placed, c: number, start: SamplingPlan["start"], attempt: number): Float64Array {
  if (start) chain.position.set(start instanceof Float64Array ? start : start[c]);
  else drawPoint(chain, attempt);
  return chain.position;
}

function drawPoint(chain: Placed, attempt: number): void {
  const { position, starts } = chain;
  const draws = starts.at(attempt);
  if (chain.drawPoint) {
    chain.drawPoint(draws);
    return;
  }
  for (let i = 0; i < position.length; i++) position[i] = 4 * draws.uniform() - 2;
}

/** Range of starting values for whole numbers without an upper bound. */
const FIRST_COUNTS = 10;

/** Draws whole numbers uniformly from their range, and all other coordinates uniformly from (−2, 2). */
export function randomPoint({ discrete = [] }: Pick<LogDensity, "discrete">, draws: Draws, position: Float64Array): void {
  for (let i = 0; i < position.length; i++) position[i] = 4 * draws.uniform() - 2;
  for (const { offset, size, low, high } of discrete) {
    const from = low > -Infinity ? low : Math.min(0, high);
    const count = high < Infinity ? high - from + 1 : FIRST_COUNTS;
    for (let i = offset; i < offset + size; i++) position[i] = from + draws.integer(Math.min(count, 2 ** 32));
  }
}
