/** Draws of all parameters from their priors, in the order of the model: each may depend on those before it. */
import { CapabilityError, OptionError } from "../../base/errors.ts";
import type { Draws } from "../../base/stream.ts";
import { broadcastTo, interpret } from "../../compiler/index.ts";
import type { TracedModel, TracedParameter } from "./context.ts";
import { batchOf } from "./distributions/constraint.ts";
import type { Distribution, Inputs } from "./distributions/index.ts";

/** Draws that break a constraint are made again, so often at most. */
const TRIES = 10_000;

/** Unconstrained numbers of one draw. @throws CapabilityError where there is no prior to draw from, or hardly any draw keeps to a constraint */
export function drawPrior(name: string, { parameters, data, dimension, hasTarget }: TracedModel, draws: Draws): Float64Array {
  if (hasTarget)
    throw new CapabilityError(
      name,
      "the model has a target() term, so that its prior has no sampler; write it as distributions, or sample it",
      "MODEL_PRIOR",
    );
  const u = new Float64Array(dimension);
  const inputs: Record<string, ArrayLike<number>> = Object.fromEntries(data);
  for (const parameter of parameters) {
    const own = drawOne(parameter, draws, inputs);
    u.set(own, parameter.offset);
    inputs[`u ${parameter.name}`] = own;
  }
  return u;
}

function drawOne(parameter: TracedParameter, draws: Draws, inputs: Inputs): Float64Array {
  const { name, shape, prior, transform, nonCentred } = parameter;
  if (!prior)
    throw new CapabilityError(
      `param "${name}"`,
      "its prior is flat, which cannot be drawn from; give it a distribution",
      "MODEL_PRIOR",
    );
  if (nonCentred) return nonCentred.standard.sample(draws, { batch: batchOf(shape, nonCentred.standard.eventRank), inputs });
  for (let tries = 0; tries < TRIES; tries++) {
    const value = drawWithin(parameter, prior, draws, inputs);
    try {
      return transform.unconstrain(value, inputs);
    } catch (error) {
      // Outside of the constraint, or so near to its edge that no finite number stands for it.
      if (!(error instanceof OptionError)) throw error;
    }
  }
  throw new CapabilityError(
    `param "${name}"`,
    `none of ${TRIES} draws of ${prior.name} kept to its constraint (${transform.name}); take a prior that lies within`,
    "MODEL_PRIOR",
  );
}

/** Of numbers with bounds each is drawn again alone: of many, all would hardly ever keep to them at once. */
function drawWithin({ shape, bounds }: TracedParameter, prior: Distribution, draws: Draws, inputs: Inputs): Float64Array {
  const sample = () => prior.sample(draws, { batch: batchOf(shape, prior.eventRank), inputs });
  const value = sample();
  if (!bounds || prior.eventRank > 0) return value;
  const [low, high] = [bounds.low ?? -Infinity, bounds.high ?? Infinity].map((bound) =>
    typeof bound === "number" ? value.map(() => bound) : interpret([broadcastTo(bound, shape)], inputs)[0],
  );
  const isOutside = (i: number): boolean => !(value[i] > low[i] && value[i] < high[i]);
  for (let tries = 0; tries < TRIES && value.some((_, i) => isOutside(i)); tries++) {
    const again = sample();
    for (let i = 0; i < value.length; i++) if (isOutside(i)) value[i] = again[i];
  }
  return value;
}
