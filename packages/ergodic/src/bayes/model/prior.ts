/**
 * Draws all parameters from their priors, in the order of the model. Each prior can depend on earlier parameters.
 *
 * The model's density is Π p(x_i | x_1 … x_{i−1}), restricted by constraints and not renormalised. If the prior
 * probability of a constraint does not depend on other parameters, only the values that violate the constraint are
 * drawn again.
 *
 * If this probability depends on other parameters, a violation rejects the whole draw. Examples are b ~ N(0, 1) with b
 * > a, and x ~ N(a, 1) with x > 0. Values of other parameters that make the constraint less probable then become
 * correspondingly rarer, as they should. Both methods give exact draws from the density.
 */

import { arraysBelow, broadcastTo, type SymbolicArray, toArray } from "../../engine/compiler/index.ts";
import { CapabilityError, OptionError } from "../../engine/errors/errors.ts";
import { type Draws, stream } from "../../engine/random/stream.ts";
import { batchOf, rankOf } from "../distributions/constraint.ts";
import type { Distribution, Inputs } from "../distributions/index.ts";
import { type Transform, transformFor } from "../transforms/index.ts";
import type { TracedModel, TracedParameter } from "./context.ts";
import { Drawer } from "./drawing.ts";
import type { PlacedModel, PointFunction } from "./placed.ts";

/** Maximum numbers of attempts to satisfy a constraint: for a draw from the prior, and for a starting point. */
const TRIES = 10_000;
const START_TRIES = 100;
/**
 * Settings for comparing probabilities between bounds: number of points, smallest probability that is compared, and
 * relative tolerance for rounding.
 */
const PROBES = 16;
const LEAST_SHARE = 1e-6;
const ROUNDING = 1e-9;

/** Sampler of one parameter, given the unconstrained numbers of the earlier parameters. */
interface Own {
  readonly parameter: TracedParameter;
  readonly drawer: Drawer;
  /** Lower and upper bound of each element, if bounds were given. */
  readonly bounds: PointFunction | undefined;
  /** For each element with bounds, whether a violation rejects the whole draw. */
  readonly rejects: readonly boolean[];
  /**
   * Support of the prior alone. Defined if the constraint is not given by bounds and its probability might depend on
   * other parameters. A value inside this support but outside the constraint rejects the whole draw.
   */
  readonly support: Transform | undefined;
}

export class PriorDrawer {
  private readonly name: string;
  private readonly traced: TracedModel;
  private readonly placed: PlacedModel;
  private parameters: readonly Own[] | undefined;
  /** Samplers for starting points, by parameter name. */
  private readonly starts = new Map<string, Own>();

  constructor(name: string, traced: TracedModel, placed: PlacedModel) {
    this.name = name;
    this.traced = traced;
    this.placed = placed;
  }

  /**
   * Returns the unconstrained numbers of one draw. @throws CapabilityError if there is no prior to draw from, or hardly
   * any draw satisfies the constraints
   */
  draw(draws: Draws): Float64Array {
    if (this.traced.hasTarget)
      throw new CapabilityError(
        this.name,
        "the model has a target() term, so its prior cannot be drawn from; write the term as distributions, or sample the model",
        "MODEL_PRIOR",
      );
    this.parameters ??= this.traced.parameters.map((parameter) => this.own(parameter));
    for (let tries = 0; tries < TRIES; tries++) {
      const u = this.drawAll(this.parameters, draws);
      if (u) return u;
    }
    const those = this.parameters.filter(({ support, rejects }) => support || rejects.includes(true));
    throw new CapabilityError(
      this.name,
      `none of ${TRIES} draws of all parameters satisfied the constraints of ${those.map(({ parameter }) => `"${parameter.name}"`).join(", ")}, whose bounds depend on other parameters; use priors that lie within the bounds, write truncated(), or sample the model without observations`,
      "MODEL_PRIOR",
    );
  }

  /**
   * Draws a starting point. Each parameter is drawn from its prior, given the parameters before it. If the prior is
   * flat, or hardly any draw satisfies the constraint, the parameter is drawn uniformly in (−2, 2). The point is not a
   * draw from the prior, because only values outside their bounds are drawn again, not the whole point.
   */
  drawStart(draws: Draws): Float64Array {
    const u = new Float64Array(this.traced.dimension);
    const inputs: Record<string, ArrayLike<number>> = Object.fromEntries(this.traced.data);
    for (const parameter of this.traced.parameters) {
      const moved = parameter.prior && this.startOf(parameter, draws, u, inputs);
      const { name, offset, unconstrained } = parameter;
      const values = moved ?? Float64Array.from({ length: unconstrained.size }, () => 4 * draws.uniform() - 2);
      u.set(values, offset);
      inputs[`u ${name}`] = values;
    }
    return u;
  }

  /** Returns undefined if there is no sampler, or if none of START_TRIES draws satisfies the constraint. */
  private startOf(parameter: TracedParameter, draws: Draws, u: Float64Array, inputs: Inputs): Float64Array | undefined {
    try {
      const own = this.starts.get(parameter.name) ?? this.own(parameter);
      this.starts.set(parameter.name, own);
      for (let tries = 0; tries < START_TRIES; tries++) {
        const value = own.drawer.at(u, draws)[0].values;
        const made = parameter.nonCentred ? value : unconstrained(parameter.transform, value, inputs);
        if (made?.every(Number.isFinite)) return made.slice();
      }
      return undefined;
    } catch (error) {
      if (error instanceof CapabilityError) return undefined;
      throw error;
    }
  }

  /** Returns undefined if the draw was rejected. */
  private drawAll(parameters: readonly Own[], draws: Draws): Float64Array | undefined {
    const u = new Float64Array(this.traced.dimension);
    const inputs: Record<string, ArrayLike<number>> = Object.fromEntries(this.traced.data);
    for (const own of parameters) {
      const moved = drawOne(own, draws, u, inputs);
      if (!moved) return undefined;
      u.set(moved, own.parameter.offset);
      inputs[`u ${own.parameter.name}`] = moved;
    }
    return u;
  }

  private own(parameter: TracedParameter): Own {
    const { name, shape, prior, nonCentred, bounds, value, discrete } = parameter;
    if (!prior)
      throw new CapabilityError(
        `param "${name}"`,
        "its prior is flat, which cannot be drawn from; give it a distribution",
        "MODEL_PRIOR",
      );
    const distribution = nonCentred?.standard ?? prior;
    const batch = batchOf(shape, distribution.eventRank);
    const drawer = new Drawer(this.placed, `prior ${name}`, [{ name, shape, distribution, batch }]);
    if (nonCentred || discrete) return { parameter, drawer, bounds: undefined, rejects: [], support: undefined };
    const others = this.parametersOf([value, ...Object.values(prior.parameters)]).filter((other) => other.name !== name);
    if (!bounds || prior.eventRank > 0) {
      const support = others.length > 0 ? transformFor(prior.support, shape) : undefined;
      return { parameter, drawer, bounds: undefined, rejects: [], support };
    }
    const ends = [bounds.low ?? toArray(-Infinity), bounds.high ?? toArray(Infinity)].map((end) => broadcastTo(end, shape));
    const made = this.placed.pointFunction(`bounds ${name}`, ends);
    return { parameter, drawer, bounds: made, rejects: this.rejects(parameter, prior, made, others), support: undefined };
  }

  private parametersOf(arrays: readonly SymbolicArray[]): TracedParameter[] {
    const inputs = new Set(arraysBelow(arrays).map(({ op, attributes }) => (op === "input" ? String(attributes) : "")));
    return this.traced.parameters.filter(({ name }) => inputs.has(`u ${name}`));
  }

  /**
   * Returns, for each element, whether the probability between its bounds depends on other parameters. If the
   * probability is the same at a few random points, it counts as independent of the other parameters.
   */
  private rejects(
    { name, shape }: TracedParameter,
    prior: Distribution,
    bounds: PointFunction,
    others: readonly TracedParameter[],
  ): boolean[] {
    const count = bounds.size / 2;
    if (others.length === 0) return new Array<boolean>(count).fill(false);
    const { cdf, constraints } = prior.family;
    const names = Object.keys(prior.parameters);
    const numbers = names.every((each) => rankOf(constraints[each]) === 0);
    // A discrete parameter might change the probability only at points that are rarely drawn.
    if (!cdf || !numbers || others.some(({ discrete }) => discrete)) return new Array<boolean>(count).fill(true);
    const parameters = this.placed.pointFunction(
      `parameters ${name}`,
      names.map((each) => broadcastTo(prior.parameters[each], shape)),
    );
    const upTo = (x: number, values: Float64Array, i: number): number =>
      Math.abs(x) === Infinity
        ? Number(x > 0)
        : cdf(x, Object.fromEntries(names.map((each, k) => [each, values[k * count + i]])));
    const probes = stream(0, "prior", "probe");
    const shares = Array.from({ length: PROBES }, (_, p) => {
      const draws = probes.at(p);
      const u = Float64Array.from({ length: this.traced.dimension }, () => 4 * draws.uniform() - 2);
      const ends = bounds.at(u).slice();
      const values = parameters.at(u).slice();
      return Array.from({ length: count }, (_, i) => upTo(ends[count + i], values, i) - upTo(ends[i], values, i));
    });
    return Array.from({ length: count }, (_, i) => {
      const [first] = shares;
      // Rounding dominates smaller probabilities, so they cannot be compared.
      const isSame = first[i] > LEAST_SHARE && shares.every((share) => Math.abs(share[i] - first[i]) <= ROUNDING * first[i]);
      return !isSame;
    });
  }
}

/** Returns undefined if the whole draw is rejected. */
function drawOne(own: Own, draws: Draws, u: Float64Array, inputs: Inputs): Float64Array | undefined {
  const { name, transform, prior, nonCentred } = own.parameter;
  const sample = (): Float64Array => own.drawer.at(u, draws)[0].values;
  if (nonCentred) return sample();
  for (let tries = 0; tries < TRIES; tries++) {
    const value = drawWithin(own, sample, u);
    if (value === "rejected") return undefined;
    if (value === "never") break;
    const made = unconstrained(transform, value, inputs);
    if (made) return made;
    if (own.support && unconstrained(own.support, value, inputs)) return undefined;
  }
  throw new CapabilityError(
    `param "${name}"`,
    `none of ${TRIES} draws of ${(prior as Distribution).name} satisfied its constraint (${transform.name}); use a prior that lies within it`,
    "MODEL_PRIOR",
  );
}

/**
 * Returns undefined if the value violates the constraint or lies so close to the boundary that its transform is not
 * finite.
 */
function unconstrained(transform: Transform, value: Float64Array, inputs: Inputs): Float64Array | undefined {
  try {
    return transform.unconstrain(value, inputs);
  } catch (error) {
    if (error instanceof OptionError) return undefined;
    throw error;
  }
}

/**
 * Draws a value within bounds. Each element is redrawn separately, because many elements together would rarely satisfy
 * their bounds. For the elements in `rejects`, a violation rejects the whole draw.
 */
function drawWithin({ bounds, rejects }: Own, sample: () => Float64Array, u: Float64Array): Float64Array | "rejected" | "never" {
  const value = sample();
  if (!bounds) return value;
  const ends = bounds.at(u).slice();
  const isOutside = (i: number): boolean => !(value[i] > ends[i] && value[i] < ends[value.length + i]);
  if (value.some((_, i) => rejects[i] && isOutside(i))) return "rejected";
  for (let tries = 0; value.some((_, i) => isOutside(i)); tries++) {
    if (tries === TRIES) return "never";
    const again = sample();
    for (let i = 0; i < value.length; i++) if (isOutside(i)) value[i] = again[i];
  }
  return value;
}
