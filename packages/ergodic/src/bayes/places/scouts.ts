/**
 * Scouts: short independent searches for places of the posterior that the draws may have missed.
 *
 * Scout i runs one path of Pathfinder (approximate/path.ts): L-BFGS, and the normal approximation with the best ELBO
 * along the path. Even-numbered scouts start at uniform draws in (−2, 2). Odd-numbered scouts start at a draw from the
 * prior, if there is a prior, because prior draws can reach modes far from 0. The mass is measured (place.ts) for each
 * approximation that lies at a different place (`distinct`).
 *
 * Scouts cost at most BUDGET of the run's evaluations. A run with a small budget sends fewer scouts. A mode is found
 * only if enough starts lead to it. If a quarter of all starting points lead to a mode, all 24 scouts miss it in one
 * run of 1000. If 1 % of all starting points lead to a mode, all scouts miss it in four runs of five.
 *
 * Streams: ("scout", i, "start"), ("scout", i, "prior"), "elbo" and "draw" of ("path", SCOUT + i, …), ("scout", i,
 * "mass").
 */

import type { LogDensity } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import { type Draws, stream } from "../../engine/random/stream.ts";
import type { DensityPoint } from "../approximate/density-point.ts";
import { Path } from "../approximate/path.ts";
import { choleskyScale } from "../approximate/paths.ts";
import { quasiNewtonDefaults } from "../approximate/quasi-newton.ts";
import type { SamplingPlan } from "../samplers/base/sampler.ts";
import { drawsFor, haveLikeSpreads, isKnown, measured, Normal, type Place, REFITS } from "./place.ts";

/** Largest share of a run's gradient evaluations that the search for places may take. */
export const BUDGET = 0.1;
/** Share of a scout's evaluations that its search may take; the rest is for measuring masses. */
const SEARCH = 0.55;
const ELBO_DRAWS = 2;
const MOST_ITERATIONS = 200;
/** Evaluations of a scout: the minimum to find anything, enough for a useful search, and the maximum. */
const [FEWEST, ENOUGH, MOST] = [20, 60, 1000];
/** Maximum number of draws from the prior to find one with a finite density. */
const PRIOR_TRIES = 20;
/** Offset of a scout's path index. The offset gives scouts other random streams than the paths of the run. */
const SCOUT = 2 ** 20;

/**
 * Normal found by a scout, with its ELBO. `end`: whether it comes from the end of the path, where the search had
 * converged.
 */
export interface Scouted {
  readonly normal: Normal;
  readonly elbo: number;
  readonly end: boolean;
}

/**
 * Number of evaluations for the next scout; 0 if the remaining budget is too small to find anything. Each scout gets an
 * equal share of the remaining search budget, or ENOUGH if that is more. Scouts that end early leave evaluations for
 * later scouts.
 */
export function shareOf(gradients: number, spent: number, scoutsLeft: number): number {
  const left = BUDGET * SEARCH * gradients - spent;
  const share = scoutsLeft > 0 ? Math.floor(Math.min(left, MOST, Math.max(ENOUGH, left / scoutsLeft))) : 0;
  return share < FEWEST ? 0 : share;
}

/**
 * Returns the normal with the best ELBO and, if the search converged, the normal at the end of the path. Returns an
 * empty list if no point has a finite density or no approximation was found.
 */
export async function scouted(
  point: DensityPoint,
  density: Pick<LogDensity, "drawStart">,
  plan: SamplingPlan,
  i: number,
  share: number,
): Promise<Scouted[]> {
  const x = (i % 2 === 1 ? priorPoint(point, density, plan.seed, i) : undefined) ?? (await randomPoint(point, plan, i));
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

/**
 * Returns a draw from the prior with a finite density and gradient; undefined if there is no prior, or no such draw was
 * found.
 */
function priorPoint(
  point: DensityPoint,
  density: Pick<LogDensity, "drawStart">,
  seed: number,
  i: number,
): Float64Array | undefined {
  const gradient = new Float64Array(point.dimension);
  for (let tries = 0; density.drawStart && tries < PRIOR_TRIES; tries++) {
    const x = density.drawStart(stream(seed, "scout", i, "prior").at(tries));
    if (Number.isFinite(point.evaluate(x, gradient)) && gradient.every(Number.isFinite)) return x;
  }
  return undefined;
}

/** Draws uniformly in (−2, 2) for each coordinate, regardless of the plan's own starting points. */
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
 * Selects approximations at different places: first approximations at different points, then approximations at the same
 * point with different spreads.
 *
 * Ends of paths are preferred, then approximations with higher ELBOs. The ELBO is noisy: estimated from ELBO_DRAWS
 * draws, it can be high even for a normal that is far too wide. If two normals' regions contain each other's means, the
 * first normal is kept. If only one region contains the other normal's mean, that region might be too wide and belong
 * to another mode, so both normals are kept.
 */
export function distinct(found: readonly Scouted[]): Scouted[] {
  const sorted = [...found].sort((a, b) => Number(b.end) - Number(a.end) || b.elbo - a.elbo);
  const isNear = (one: Scouted, other: Scouted): boolean =>
    other.normal.holds(one.normal.mean) && one.normal.holds(other.normal.mean);
  const kept: Scouted[] = [];
  for (const one of sorted) if (!kept.some((other) => isNear(one, other))) kept.push(one);
  for (const one of sorted)
    if (!kept.some((other) => isNear(one, other) && haveLikeSpreads(one.normal, other.normal))) kept.push(one);
  return kept;
}

/**
 * Measures the mass of a scout's place with at most `most` evaluations. Returns undefined if the mass cannot be
 * determined.
 */
export function massOf(point: DensityPoint, { normal }: Scouted, draws: Draws, most: number): Place | undefined {
  const refits = Math.min(REFITS, Math.floor(most / drawsFor(normal.dimension)) - 1);
  const place = measured(normal, (x) => point.evaluate(x), draws, refits);
  return isKnown(place) ? place : undefined;
}

export const massDraws = (seed: number, ...name: (string | number)[]): Draws => stream(seed, ...name, "mass").at(0);
