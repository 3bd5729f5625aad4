import type { Conditionals } from "../../engine/contract/index.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import type { FactorGraph } from "../model/graph.ts";
import type { EndedParticles } from "./learner.ts";

/** Weights from an earlier run on a graph, and the final states of its chains. */
export interface LearnedBefore {
  readonly weights: Float64Array;
  /** Graph of the earlier run, with the names of its weights. If absent, weights are matched by index. */
  readonly graph?: FactorGraph;
  readonly particles?: EndedParticles;
}

/**
 * Returns initial weights: the earlier values of weights that are not fixed, and the graph's values for new weights.
 * Named weights are matched by name, others by index.
 *
 * @throws OptionError if the earlier run was on another graph
 */
export function weightsFrom(
  { weights: before, graph: earlier }: LearnedBefore,
  graph: FactorGraph,
  { weightValues, weightFixed }: Conditionals,
): Float64Array {
  const refuse = (has: string): never => {
    throw new OptionError("fit", `from has ${has}; give a result of fit() for this graph`, "OPTION_RANGE");
  };
  if (!earlier) {
    if (before.length > weightValues.length) refuse(`${before.length} weights, but the graph has ${weightValues.length}`);
    return weightValues.map((value, id) => (id < before.length && !weightFixed[id] ? before[id] : value));
  }
  const names = Array.from(before, (_, id) => earlier.weightState(id).name);
  if (names.some((name, id) => name === undefined && id >= weightValues.length))
    refuse(`${before.length} weights, but the graph has ${weightValues.length}`);
  const byName = new Map(names.map((name, id) => [name, id]));
  let found = 0;
  const values = weightValues.map((value, id) => {
    const { name } = graph.weightState(id);
    const was = name !== undefined ? byName.get(name) : id < names.length && names[id] === undefined ? id : undefined;
    if (was === undefined || weightFixed[id]) return value;
    found++;
    return before[was];
  });
  if (found > 0) return values;
  const shown = names
    .filter((name) => name !== undefined)
    .slice(0, 3)
    .map((name) => `"${name}"`)
    .join(", ");
  return refuse(`the weights ${shown || "of another graph"}, none of which the graph learns`);
}

/**
 * Returns the initial chain states from an earlier run.
 *
 * @throws OptionError if the earlier graph was larger, or if its variables had other numbers of states
 */
export function startOf(
  from: LearnedBefore | undefined,
  { variableCount, cardinalities, name }: Conditionals,
): { from?: EndedParticles } {
  const { particles, graph } = from ?? {};
  if (!particles) return {};
  const count = particles.clamped[0].length;
  const refuse = (has: string): never => {
    throw new OptionError("fit", `from has ${has}; give a result of fit() for this graph`, "OPTION_RANGE");
  };
  if (count > variableCount) refuse(`chains over ${count} variables, but the graph has ${variableCount}`);
  for (let variable = 0; graph && variable < count; variable++) {
    const was = graph.stateCount(variable);
    if (was !== cardinalities[variable])
      refuse(`${was} states of the variable ${name(variable)}, but the graph has ${cardinalities[variable]}`);
  }
  return { from: particles };
}
