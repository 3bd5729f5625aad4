import { dot, largest } from "../../engine/optimise/dense.ts";
import { along, made, strongWolfe } from "../../engine/optimise/wolfe.ts";
import { type Border, fallsWithoutEnd, NEAR_BORDER } from "./border.ts";
import type { InverseCurvature } from "./inverse-curvature.ts";
import { type NewtonStep, newtonStep } from "./newton-step.ts";
import { type Minimised, QuasiNewton, quasiNewtonDefaults } from "./quasi-newton.ts";

/**
 * Tolerance in units of f (nats for a log density). A point counts as a minimum if a Newton step promises to decrease f
 * by at most this tolerance plus the rounding error.
 */
export const TOLERANCE = 1e-6;
const ROUNDING = 2 ** -46;
const MOST_PRODUCTS = 200;
const POLISHING = 3;
/**
 * Maximum number of restarts without significant decrease. Without this limit, the search would never end on a valley
 * floor that is flat to rounding.
 */
const PATIENCE = 3;

const moves = {
  ...quasiNewtonDefaults,
  objectiveTolerance: 0,
  relativeObjectiveTolerance: 1,
  gradientTolerance: 1e-9,
  parameterTolerance: 0,
};

/** Number of quasi-Newton moves after which the curvature is measured. */
const MEASURE_EVERY = 25;
/** Number of moves between checks of the borders, and number of borders per check. The closest borders are checked. */
const LOOK_EVERY = 100;
const MOST_BORDERS = 8;

export type ClimbEnd = "minimum" | "stuck" | "unbounded";

/**
 * Climbs from one start to a minimum of f by quasi-Newton moves (quasi-newton.ts) and Newton steps (newton-step.ts).
 * Newton steps measure curvature, whereas quasi-Newton moves remember it. A Newton step is made when the quasi-Newton
 * moves end, and occasionally earlier.
 *
 * If the Newton step promises more than `TOLERANCE`, f descends along it, the remembered curvature is dropped, and
 * quasi-Newton moves restart. If the Newton step promises less, the point is a minimum, and Newton steps are added
 * while they shorten the gradient.
 *
 * Occasionally, and before giving up, it checks whether f decreases without bound near a border (border.ts).
 *
 * In a narrow valley, an L-BFGS estimate can know the walls but not the floor. All steps and decrements are then small,
 * wherever on the floor the point lies. A tolerance on steps or decrements therefore cannot show that the lowest point
 * of the floor has been reached.
 */
export class Climb {
  /** Undefined while the climb continues. */
  end: ClimbEnd | undefined;
  /** Decrease of f promised by the last Newton step; NaN before the first. */
  promise = Number.NaN;
  /** Borders at which f decreases without bound. */
  readonly unbounded: Border[] = [];
  private readonly f: Minimised;
  private readonly borders: readonly Border[];
  private moves = 0;
  private search: QuasiNewton;
  /** f at the last restart. */
  private begun: number;
  /** f at the last measurement of curvature. */
  private measured: number;
  private fruitless = 0;

  constructor(f: Minimised, start: Float64Array, borders: readonly Border[] = []) {
    this.f = f;
    this.borders = borders;
    this.search = new QuasiNewton(f, moves);
    this.search.start(start);
    this.begun = this.search.loss;
    this.measured = this.begun;
  }

  get x(): Float64Array {
    return this.search.x;
  }

  get loss(): number {
    return this.search.loss;
  }

  get gradient(): Float64Array {
    return this.search.gradient;
  }

  get curvature(): InverseCurvature {
    return this.search.curvature;
  }

  /** Makes one move. */
  step(): void {
    if (this.end) return;
    const ended = this.search.step();
    this.moves++;
    if (!ended && this.moves % MEASURE_EVERY !== 0) return;
    if (this.moves % LOOK_EVERY === 0 && this.look()) return;
    const newton = this.newton();
    this.promise = newton.promise;
    if (newton.definite && newton.promise <= TOLERANCE + ROUNDING * Math.abs(this.loss)) {
      this.polish(newton);
      this.end = "minimum";
      return;
    }
    if (!ended) {
      // The search is still moving, but slowly. The climb follows the Newton step if the step promises a larger
      // decrease than all moves since the previous Newton step together.
      const gained = this.measured - this.loss;
      this.measured = this.loss;
      if (newton.definite && newton.promise > gained) this.descend(newton.step);
      return;
    }
    const fallen = this.begun - this.loss;
    this.fruitless = fallen > TOLERANCE + ROUNDING * Math.abs(this.loss) ? 0 : this.fruitless + 1;
    if ((this.fruitless >= PATIENCE || !this.descend(newton.step)) && !this.look()) this.end = "stuck";
  }

  /** Whether f decreases without bound from here. If so, the climb ends. */
  look(): boolean {
    if (this.end) return this.end === "unbounded";
    const depth = ({ at, side }: Border): number => side * this.x[at];
    const close = this.borders.filter((border) => depth(border) >= NEAR_BORDER).sort((a, b) => depth(b) - depth(a));
    this.unbounded.push(...close.slice(0, MOST_BORDERS).filter((border) => fallsWithoutEnd(this.f, this.x, border)));
    if (this.unbounded.length > 0) this.end = "unbounded";
    return this.unbounded.length > 0;
  }

  private newton(curvature = this.curvature): NewtonStep {
    return newtonStep(this.f, this.x, this.gradient, curvature, Math.min(MOST_PRODUCTS, 4 * this.x.length));
  }

  /**
   * Restarts from the lowest point that a line search along `direction` finds. Returns false if the line search finds
   * no lower point.
   */
  private descend(direction: Float64Array): boolean {
    const { loss, gradient, x } = this;
    const slope = dot(gradient, direction);
    this.begun = loss;
    if (!(slope < 0)) return this.leaveSaddle(direction);
    const search = strongWolfe({ stepSize: 0, loss, slope, gradient }, 1, largest(direction));
    const { point } = made(along(x, direction, search), this.f);
    if (!(point.stepSize > 0 && point.loss < loss && point.gradient.every(Number.isFinite))) return false;
    this.beginAt(x.map((v, i) => v + point.stepSize * direction[i]));
    return true;
  }

  /** Tries both signs of a direction with negative curvature and zero slope. */
  private leaveSaddle(direction: Float64Array): boolean {
    for (let size = 1; size > 1e-6; size /= 10) {
      for (const by of [size, -size]) {
        const x = this.x.map((v, i) => v + by * direction[i]);
        if (!(this.f(x, null) < this.loss)) continue;
        this.beginAt(x);
        return true;
      }
    }
    return false;
  }

  private polish(newton: NewtonStep): void {
    const { curvature } = this;
    let { step } = newton;
    for (let k = 0; k < POLISHING; k++) {
      const x = this.x.map((v, i) => v + step[i]);
      const gradient = new Float64Array(x.length);
      const loss = this.f(x, gradient);
      if (!(loss <= this.loss + ROUNDING * Math.abs(this.loss) && dot(gradient, gradient) < dot(this.gradient, this.gradient)))
        return;
      this.beginAt(x);
      const next = this.newton(curvature);
      if (!next.definite) return;
      this.promise = next.promise;
      step = next.step;
    }
  }

  private beginAt(x: Float64Array): void {
    this.search = new QuasiNewton(this.f, moves);
    this.search.start(x);
  }
}
