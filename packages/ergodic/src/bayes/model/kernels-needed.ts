import { familiesOf } from "../../engine/compiler/array/kernel-families.ts";
import type { SymbolicArray } from "../../engine/compiler/index.ts";
import type { Family } from "../../engine/memory/families.ts";
import { batchOf } from "../distributions/constraint.ts";
import type { TracedDraw, TracedModel } from "./context.ts";

/** Of the kernels that a model's functions call: densities, values, draws. */
export function familiesOfModel(traced: TracedModel): Family[] {
  const { logDensity, logDensityOfValues, terms, parameters, quantities, observed, replicated, marginal, drawn } = traced;
  const priors = parameters.flatMap(({ shape, prior }) =>
    prior ? [{ distribution: prior, batch: batchOf(shape, prior.eventRank) }] : [],
  );
  return familiesOf([
    logDensity,
    logDensityOfValues,
    ...terms.map(({ density }) => density),
    ...[...quantities, ...parameters, ...replicated].map(({ value }) => value),
    ...[...observed, ...marginal].map(({ pointwise }) => pointwise),
    ...[...priors, ...replicated, ...drawn].flatMap(drawnFrom),
  ]);
}

/** Nothing where a distribution cannot be drawn from, which whoever draws is told. */
function drawnFrom({ distribution, batch }: Pick<TracedDraw, "distribution" | "batch">): readonly SymbolicArray[] {
  try {
    return distribution.sampler(batch).arrays;
  } catch {
    return [];
  }
}
