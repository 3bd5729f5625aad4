/** Draws of all parameters from their priors, in the order of the model: each may depend on those before it. */
import { CapabilityError, OptionError } from "../../base/errors.ts";
import type { Draws } from "../../base/stream.ts";
import { broadcastTo, toArray } from "../../compiler/index.ts";
import type { TracedModel, TracedParameter } from "./context.ts";
import { batchOf } from "./distributions/constraint.ts";
import type { Distribution, Inputs } from "./distributions/index.ts";
import { Drawer } from "./drawing.ts";
import type { PlacedModel, PointFunction } from "./placed.ts";

/** Draws that break a constraint are made again, so often at most. */
const TRIES = 10_000;

/** One parameter's draws, given u of those before it. */
interface Own {
  readonly parameter: TracedParameter;
  readonly drawer: Drawer;
  /** Low and high of each element, where bounds were given. */
  readonly bounds: PointFunction | undefined;
}

export class PriorDrawer {
  private readonly name: string;
  private readonly traced: TracedModel;
  private readonly placed: PlacedModel;
  private parameters: readonly Own[] | undefined;

  constructor(name: string, traced: TracedModel, placed: PlacedModel) {
    this.name = name;
    this.traced = traced;
    this.placed = placed;
  }

  /** Unconstrained numbers of one draw. @throws CapabilityError where there is no prior to draw from, or hardly any draw keeps to a constraint */
  draw(draws: Draws): Float64Array {
    const { dimension, data, hasTarget } = this.traced;
    if (hasTarget)
      throw new CapabilityError(
        this.name,
        "the model has a target() term, so that its prior has no sampler; write it as distributions, or sample it",
        "MODEL_PRIOR",
      );
    this.parameters ??= this.traced.parameters.map((parameter) => this.own(parameter));
    const u = new Float64Array(dimension);
    const inputs: Record<string, ArrayLike<number>> = Object.fromEntries(data);
    for (const own of this.parameters) {
      const moved = drawOne(own, draws, u, inputs);
      u.set(moved, own.parameter.offset);
      inputs[`u ${own.parameter.name}`] = moved;
    }
    return u;
  }

  private own(parameter: TracedParameter): Own {
    const { name, shape, prior, nonCentred, bounds } = parameter;
    if (!prior)
      throw new CapabilityError(
        `param "${name}"`,
        "its prior is flat, which cannot be drawn from; give it a distribution",
        "MODEL_PRIOR",
      );
    const distribution = nonCentred?.standard ?? prior;
    const batch = batchOf(shape, distribution.eventRank);
    const ends = [bounds?.low ?? toArray(-Infinity), bounds?.high ?? toArray(Infinity)];
    const kept = bounds && prior.eventRank === 0 && !nonCentred;
    return {
      parameter,
      drawer: new Drawer(this.placed, `prior ${name}`, [{ name, shape, distribution, batch }]),
      bounds: kept
        ? this.placed.pointFunction(
            `bounds ${name}`,
            ends.map((end) => broadcastTo(end, shape)),
          )
        : undefined,
    };
  }
}

function drawOne(own: Own, draws: Draws, u: Float64Array, inputs: Inputs): Float64Array {
  const { name, transform, prior, nonCentred } = own.parameter;
  const sample = (): Float64Array => own.drawer.at(u, draws)[0].values;
  if (nonCentred) return sample();
  for (let tries = 0; tries < TRIES; tries++) {
    const value = drawWithin(own.bounds, sample, u);
    try {
      return transform.unconstrain(value, inputs);
    } catch (error) {
      // Outside of the constraint, or so near to its edge that no finite number stands for it.
      if (!(error instanceof OptionError)) throw error;
    }
  }
  throw new CapabilityError(
    `param "${name}"`,
    `none of ${TRIES} draws of ${(prior as Distribution).name} kept to its constraint (${transform.name}); take a prior that lies within`,
    "MODEL_PRIOR",
  );
}

/** Of numbers with bounds each is drawn again alone: of many, all would hardly ever keep to them at once. */
function drawWithin(bounds: PointFunction | undefined, sample: () => Float64Array, u: Float64Array): Float64Array {
  const value = sample();
  if (!bounds) return value;
  const ends = bounds.at(u).slice();
  const isOutside = (i: number): boolean => !(value[i] > ends[i] && value[i] < ends[value.length + i]);
  for (let tries = 0; tries < TRIES && value.some((_, i) => isOutside(i)); tries++) {
    const again = sample();
    for (let i = 0; i < value.length; i++) if (isOutside(i)) value[i] = again[i];
  }
  return value;
}
