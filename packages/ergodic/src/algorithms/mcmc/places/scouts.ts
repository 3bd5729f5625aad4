/**
 * Scouts: short independent searches for places of the posterior that the chains may have missed.
 *
 * Scout i runs Pathfinder's path (variational/path.ts) from a random point: L-BFGS, and on its way the normal approximation with the best ELBO. Those that are not both within each
 * other's region are places; their masses are measured (place.ts). All of it costs at most BUDGET of the run's gradients: a scout ends where
 * its share is used up, and none begins without one. A mode is found where enough random points lead to it: one that one start in four reaches is missed
 * by all 24 in one run of 1000, one that 1 % reach in four of five.
 * Streams: ("scout", i, "start"), and "elbo" and "draw" of ("path", SCOUT + i, …); ("scout", i, "mass").
 */
import { ErgodicError } from "../../../base/errors.ts";
import { type Draws, stream } from "../../../base/stream.ts";
import type { SamplingPlan } from "../../sampling/sampler.ts";
import type { DensityPoint } from "../../variational/density-point.ts";
import { Path } from "../../variational/path.ts";
import { choleskyScale } from "../../variational/paths.ts";
import { quasiNewtonDefaults } from "../../variational/quasi-newton.ts";
import { drawsFor, isKnown, measured, Normal, type Place, REFITS } from "./place.ts";

/** Of the gradients of a run. */
export const BUDGET = 0.1;
/** Of a scout's share, for its search; the rest is for masses. */
const SEARCH = 0.55;
const ELBO_DRAWS = 2;
const MOST_ITERATIONS = 200;
/** Evaluations without which a scout finds nothing, and with which it would have found what there is. */
const [FEWEST, MOST] = [20, 1000];
/** Places in the numbering of paths. */
const SCOUT = 2 ** 20;

/** What a scout found: a normal, how well it fits, and whether it is that of the path's end, where the search had converged. */
export interface Scouted {
  readonly normal: Normal;
  readonly elbo: number;
  readonly end: boolean;
}

/** Evaluations that each of `count` scouts may take of `gradients` in all; 0 where that is too few to find anything. */
export function shareOf(gradients: number, count: number): number {
  const share = Math.floor((BUDGET * SEARCH * gradients) / count);
  return share < FEWEST ? 0 : Math.min(share, MOST);
}

/** The normal with the best ELBO, and that of the path's end where it got there; none where no point has a finite density, or no approximation. */
export async function scouted(point: DensityPoint, plan: SamplingPlan, i: number, share: number): Promise<Scouted[]> {
  const x = await randomPoint(point, plan, i);
  if (!x) return [];
  const path = new Path(point, plan.seed, SCOUT + i, {
    ...quasiNewtonDefaults,
    elboDraws: ELBO_DRAWS,
    maxIterations: MOST_ITERATIONS,
  });
  const before = point.evaluations;
  path.start(x);
  while (!path.ended && point.evaluations - before < share) path.step();
  if (!(path.elbo > -Infinity)) return [];
  const { ended, last } = path;
  const best = { mean: path.mean, curvature: path.curvature, elbo: path.elbo, end: ended && last?.elbo === path.elbo };
  const all = ended && last && !best.end ? [best, { ...last, end: true }] : [best];
  return all.flatMap(({ mean, curvature, elbo, end }) => {
    const factor = choleskyScale(curvature);
    const usable = elbo > -Infinity && factor.every(Number.isFinite) && mean.every(Number.isFinite);
    return usable ? [{ normal: new Normal(mean.slice(), factor), elbo, end }] : [];
  });
}

/** Uniform in (−2, 2) by coordinate, whatever the plan's own starting points. */
export async function randomPoint(point: DensityPoint, plan: SamplingPlan, i: number): Promise<Float64Array | undefined> {
  const { start: _, ...rest } = plan;
  try {
    return (await point.places("scout", `scout ${i}`, 1, rest))[0];
  } catch (error) {
    if (error instanceof ErgodicError && error.code === "SAMPLE_START") return undefined;
    throw error;
  }
}

/**
 * Ends first, then by ELBO, which is noisy: of ELBO_DRAWS draws it may well be that of a normal far too wide. Of two in each other's region the first one. Where one alone holds
 * the other it may be too wide, and of another mode.
 */
export function distinct(found: readonly Scouted[]): Scouted[] {
  const kept: Scouted[] = [];
  for (const one of [...found].sort((a, b) => Number(b.end) - Number(a.end) || b.elbo - a.elbo))
    if (!kept.some((other) => other.normal.holds(one.normal.mean) && one.normal.holds(other.normal.mean))) kept.push(one);
  return kept;
}

/** The mass of a scout's place, where it is known, from at most `most` evaluations. */
export function massOf(point: DensityPoint, { normal }: Scouted, draws: Draws, most: number): Place | undefined {
  const refits = Math.min(REFITS, Math.floor(most / drawsFor(normal.dimension)) - 1);
  const place = measured(normal, (x) => point.evaluate(x), draws, refits);
  return isKnown(place) ? place : undefined;
}

export const massDraws = (seed: number, ...name: (string | number)[]): Draws => stream(seed, ...name, "mass").at(0);
