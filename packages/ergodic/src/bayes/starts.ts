/** Starting points of `sample` from user input. */

import type { LogDensity } from "../engine/contract/index.ts";
import { checkValuesByName } from "../engine/data/values-by-name.ts";
import { checkKeys, OptionError } from "../engine/errors/errors.ts";
import { stream } from "../engine/random/stream.ts";
import { ConditionedModel, type GivenValues } from "./model/index.ts";
import { randomPoint } from "./samplers/base/starting-points.ts";

/** Values of parameters by name, or unconstrained numbers of all parameters. */
export type Start = GivenValues | Float64Array;

const MOST_ATTEMPTS = 100;

/**
 * Returns unconstrained starting points: one for all chains, or one per chain if some parameters are drawn at random.
 *
 * @throws OptionError
 */
export function startOf(
  density: LogDensity,
  given: Start | readonly Start[],
  chains: number,
  seed: number,
): Float64Array | Float64Array[] {
  if (Array.isArray(given) && given.length !== chains)
    throw new OptionError(
      "sample",
      `start has ${given.length} points, but there are ${chains} chains; give one for each, or one for all`,
      "OPTION_LENGTH",
    );
  const list = (Array.isArray(given) ? given : [given]) as readonly Start[];
  const partial = list.map((start) => isPartial(density, start));
  if (!Array.isArray(given) && !partial[0]) return whole(density, list[0]);
  return Array.from({ length: chains }, (_, c) => {
    const i = list.length === 1 ? 0 : c;
    return partial[i] ? completed(density as ConditionedModel, list[i], seed, c) : whole(density, list[i]);
  });
}

/** Whether some parameters have no value. @throws OptionError for an invalid start */
function isPartial(density: LogDensity, start: Start): boolean {
  if (start instanceof Float64Array) {
    if (start.length === density.dimension) return false;
    throw new OptionError(
      "sample",
      `start has ${start.length} numbers, but the log density has dimension ${density.dimension}`,
      "OPTION_LENGTH",
    );
  }
  checkValuesByName("sample", start);
  if (!(density instanceof ConditionedModel))
    throw new OptionError(
      "sample",
      "start is given by name, but only a model has names; give a Float64Array of unconstrained numbers",
      "OPTION_TYPE",
    );
  const names = density.parameters.map(({ name }) => name);
  checkKeys("sample.start", start, names);
  return names.some((name) => start[name] === undefined);
}

const whole = (density: LogDensity, start: Start): Float64Array =>
  start instanceof Float64Array ? start : (density as ConditionedModel).unconstrain(start);

/**
 * Draws the missing parameters as if no start were given, until density and gradient are finite. Bounds and scales can
 * depend on the drawn parameters, so whether the given values are allowed depends on the draw.
 */
function completed(density: ConditionedModel, start: Start, seed: number, chain: number): Float64Array {
  const random = stream(seed, "start", chain);
  let point: Float64Array | undefined;
  let refused: unknown;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const rest = new Float64Array(density.dimension);
    randomPoint(density, random.at(attempt), rest);
    try {
      point = density.unconstrain(start as Exclude<Start, Float64Array>, rest);
    } catch (error) {
      refused = error;
      continue;
    }
    const { value, gradient } = density.evaluate(point);
    if (Number.isFinite(value) && gradient.every(Number.isFinite)) return point;
  }
  if (point === undefined) throw refused;
  // If density or gradient is not finite at this point, the run reports it.
  return point;
}
