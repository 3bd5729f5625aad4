import type { LogDensity } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import { DensityPoint } from "../approximate/density-point.ts";
import type { ChainDraws } from "../samplers/base/chain-draws.ts";

/** A jump of the log density between two neighbouring points. */
export interface Edge {
  /** Point on the high side, in unconstrained numbers. */
  readonly inside: Float64Array;
  /** Point on the low side. It differs from `inside` in one of `coordinates`, if there are any. */
  readonly outside: Float64Array;
  /** Coordinates of which a tiny change alone crosses the jump. */
  readonly coordinates: readonly number[];
  /** Fall of the log density in nats; ∞ if the density is 0 or NaN outside. */
  readonly drop: number;
}

/** Edges next to draws whose transitions diverged. */
export interface Edges {
  /** Number of draws that were examined. */
  readonly examined: number;
  /** At most one edge per draw. */
  readonly found: readonly Edge[];
}

/** Number of draws to examine, and of trajectories from each. */
const [DRAWS, TRAJECTORIES] = [16, 8];
const MOST_STEPS = 64;
/** Share of the run's leapfrogs that the search may evaluate, and the smallest number of evaluations. */
const [SHARE, LEAST] = [0.1, 500];
/** Largest dimension in which the coordinates of an edge are determined. */
const MOST_DIMENSION = 64;
/** Fall in nats that counts as a jump between neighbouring float64 points. */
const JUMP = 20;
/** Halvings after which two points are neighbours: more than the bits of a float64. */
const HALVINGS = 64;
/** Change of a coordinate that crosses a nearby edge, in standard deviations. */
const NUDGE = 1e-6;

/**
 * Searches for jumps of the log density near draws whose transitions diverged.
 *
 * From such a draw x, leapfrog trajectories with the transition's step run in a metric of the draws' variances. If a
 * step ends below the level ℓ(x) − 50 − 2√d, the segment of the step is halved until its ends are neighbouring float64
 * points a and b with ℓ(a) >= level > ℓ(b). A continuous density has ℓ(a) ≈ ℓ(b) there. So ℓ(a) − ℓ(b) > 20 nats, or
 * ℓ(b) = −∞, shows that the density jumps next to points that the posterior reaches. An unstable trajectory on a curved
 * posterior shows no such jump. Undefined if no transition diverged or the steps are unknown. Yields after each
 * trajectory, because the search can take seconds.
 */
export function* edgesOf(density: LogDensity, raw: ChainDraws, seed: number, engine: Engine): Generator<void, Edges | undefined> {
  const needed = ["divergent", "stepSize", "leapfrogs"];
  if (!needed.every((field) => raw.fields.includes(field)) || raw.divergences === 0) return undefined;
  const point = new DensityPoint(engine, density, "edges");
  try {
    const search = new Search(point, raw, seed);
    return yield* search.run();
  } finally {
    point.dispose();
  }
}

class Search {
  private readonly point: DensityPoint;
  private readonly raw: ChainDraws;
  private readonly seed: number;
  private readonly sd: Float64Array;
  private readonly most: number;

  constructor(point: DensityPoint, raw: ChainDraws, seed: number) {
    this.point = point;
    this.raw = raw;
    this.seed = seed;
    this.sd = Float64Array.from({ length: point.dimension }, (_, i) => sdOf(raw.coordinate(i)));
    this.most = Math.max(LEAST, SHARE * raw.transition("leapfrogs").reduce((sum, count) => sum + count, 0));
  }

  *run(): Generator<void, Edges> {
    const divergent = [...this.raw.transition("divergent").entries()].filter(([, flag]) => flag > 0).map(([k]) => k);
    const count = Math.min(DRAWS, divergent.length);
    const found: Edge[] = [];
    let examined = 0;
    for (; examined < count && this.point.evaluations < this.most; examined++) {
      const edge = yield* this.near(divergent[Math.floor((examined * divergent.length) / count)]);
      if (edge) found.push(edge);
    }
    return { examined, found };
  }

  /** Returns an edge that trajectories from draw k reach. */
  private *near(k: number): Generator<void, Edge | undefined> {
    const { dimension: d } = this.point;
    const x = this.raw.values.slice(k * d, k * d + d);
    const step = this.raw.transition("stepSize")[k];
    const steps = Math.min(MOST_STEPS, Math.max(1, this.raw.transition("leapfrogs")[k]));
    for (let i = 0; i < TRAJECTORIES; i++) {
      const edge = this.along(x, step, steps, k * TRAJECTORIES + i);
      if (edge) return edge;
      yield;
    }
    return undefined;
  }

  /** Follows one trajectory to the first point below the level. */
  private along(x: Float64Array, step: number, steps: number, update: number): Edge | undefined {
    const { point, sd } = this;
    const draws = stream(this.seed, "edges").at(update);
    const velocity = sd.map(() => draws.normal());
    let at = x;
    let gradient = new Float64Array(x.length);
    const level = point.evaluate(at, gradient) - 50 - 2 * Math.sqrt(x.length);
    if (!Number.isFinite(level)) return undefined;
    for (let s = 0; s < steps; s++) {
      const half = velocity.map((v, i) => v + (step / 2) * sd[i] * gradient[i]);
      const to = at.map((value, i) => value + step * sd[i] * half[i]);
      const next = new Float64Array(x.length);
      const value = point.evaluate(to, next);
      if (!(value >= level)) return to.every(Number.isFinite) ? this.between(at, to, level) : undefined;
      velocity.set(half.map((v, i) => v + (step / 2) * sd[i] * next[i]));
      [at, gradient] = [to, next];
    }
    return undefined;
  }

  /** Halves the segment from a point at or above the level to a point below it. */
  private between(inside: Float64Array, outside: Float64Array, level: number): Edge | undefined {
    let [high, low] = [inside, outside];
    for (let k = 0; k < HALVINGS; k++) {
      const middle = high.map((value, i) => value / 2 + low[i] / 2);
      if (this.point.evaluate(middle) >= level) high = middle;
      else low = middle;
    }
    const value = this.point.evaluate(high);
    const drop = value - this.point.evaluate(low);
    if (!(drop > JUMP)) return undefined;
    const crossings = high.length > MOST_DIMENSION ? [] : [...high.keys()].flatMap((i) => this.crossing(high, i, value));
    return { inside: high, outside: crossings[0]?.to ?? low, coordinates: crossings.map(({ i }) => i), drop };
  }

  /** Whether a tiny change of coordinate i alone crosses the edge next to `from`: the coordinate and the end, or []. */
  private crossing(from: Float64Array, i: number, value: number): { i: number; to: Float64Array }[] {
    for (const sign of [1, -1]) {
      const to = from.slice();
      to[i] += sign * NUDGE * this.sd[i];
      if (value - this.point.evaluate(to) > JUMP) return [{ i, to }];
    }
    return [];
  }
}

function sdOf(x: Float64Array): number {
  const mean = x.reduce((sum, value) => sum + value / x.length, 0);
  return Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2 / x.length, 0));
}
