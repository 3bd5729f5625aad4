/**
 * A network bound to a dataset. Parameters: programs.ts. In an update, batch statistics, dropout and augmentation are
 * active.
 */

import type { Beginning, Plan } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { type ArrayParts, ArrayProblem, PROBE_ROWS } from "../array-problem.ts";
import { begun } from "../begun.ts";
import { initialValues } from "./initialisers.ts";
import {
  layOutParameters,
  lossProgram,
  lossUnitOf,
  type NetworkFacts,
  outputsOf,
  type ParameterLayout,
  updateProgram,
} from "./programs.ts";

export interface NetworkProblemOptions extends NetworkFacts {
  readonly l1: number;
  readonly l2: number;
  readonly rates: Readonly<Record<string, number>>;
  readonly classWeights: Float64Array | undefined;
  readonly beginning?: Beginning | undefined;
}

export class NetworkProblem extends ArrayProblem {
  protected static override readonly typeName: string = "NetworkProblem";
  declare readonly layout: ParameterLayout;

  constructor(data: Dataset, plan: Plan, engine: Engine, options: NetworkProblemOptions) {
    super(data, plan, engine, partsOf(data, plan, options));
  }
}

function partsOf(data: Dataset, plan: Plan, options: NetworkProblemOptions): ArrayParts {
  const traced = outputsOf(options, PROBE_ROWS, true);
  const layout = layOutParameters(traced);
  const { l1, l2, rates, outputs } = options;
  refuseUnknownGroups(rates, layout);
  return {
    name: "network",
    ...{ layout, l1, l2, rates, outputs },
    draws: traced.streams > 0,
    lossUnit: lossUnitOf(options),
    target: codedTarget(data, options),
    weights: rowWeights(data, options),
    ...(layout.states.length > 0 ? { batchesFor: "batch normalisation needs running statistics of batches" } : {}),
    update: (batch, precision, withOutputs) => updateProgram(options, batch, precision, layout, withOutputs),
    loss: (batch, precision) => lossProgram(options, batch, precision, layout),
    start: () => firstValues(plan.seed, layout, options),
  };
}

function firstValues(seed: number, layout: ParameterLayout, { beginning }: NetworkProblemOptions): Float64Array {
  const all = new Float64Array(layout.count);
  for (const p of layout.parameters) all.set(initialValues(seed, p), p.offset);
  for (const s of layout.states) all.fill(s.initial, s.offset, s.offset + s.size);
  return beginning ? begun(beginning, layout, all) : all;
}

/** Returns the products of row weights and class weights. */
function rowWeights({ weights, target, rowCount }: Dataset, { classWeights }: NetworkProblemOptions): Float64Array | undefined {
  if (!weights && !classWeights) return undefined;
  return Float64Array.from({ length: rowCount }, (_, i) => (weights?.[i] ?? 1) * (classWeights?.[target.values[i]] ?? 1));
}

/** Returns the targets as losses need them: −1 and +1 for two classes and one output, otherwise unchanged. */
function codedTarget(data: Dataset, { loss, outputs }: NetworkFacts): Float64Array {
  const { kind, values } = data.target;
  if (loss.task !== "binary" || outputs > 1) return Float64Array.from(values);
  return values.map((y) => (y > (kind === "category" ? 0.5 : 0) ? 1 : -1));
}

function refuseUnknownGroups(rates: NetworkProblemOptions["rates"], { parameters }: ParameterLayout): void {
  const groups = [...new Set(parameters.flatMap(({ group }) => (group === undefined ? [] : [group])))];
  const unknown = Object.keys(rates).find((name) => !groups.includes(name));
  if (unknown === undefined) return;
  const known = groups.length > 0 ? `there are: ${groups.join(", ")}` : "there are none";
  throw new OptionError(
    "network.rates",
    `"${unknown}" is not a group of parameters (${known}); mark the layers by grouped("${unknown}", layer)`,
    "OPTION_UNKNOWN",
  );
}
