import { familiesOf } from "../../engine/compiler/array/kernel-families.ts";
import type { SymbolicArray } from "../../engine/compiler/index.ts";
import type { Family } from "../../engine/memory/families.ts";
import { batchOf } from "../distributions/constraint.ts";
import type { TracedDraw, TracedModel } from "./context.ts";

/** Kernel families that a model's functions call, for densities, values and draws. */
export function familiesOfModel(traced: TracedModel): Family[] {
  const { logDensity, modeObjective, terms, parameters, quantities, observed, replicated, marginal, drawn } = traced;
  const priors = parameters.flatMap(({ shape, prior }) =>
    prior ? [{ distribution: prior, batch: batchOf(shape, prior.eventRank) }] : [],
  );
  return familiesOf([
    logDensity,
    modeObjective,
    ...terms.map(({ density }) => density),
    ...[...quantities, ...parameters, ...replicated].map(({ value }) => value),
    ...[...observed, ...marginal].map(({ pointwise }) => pointwise),
    ...[...priors, ...replicated, ...drawn].flatMap(drawnFrom),
  ]);
}

/** Returns an empty list if a distribution has no sampler. The error is reported when a draw is requested. */
function drawnFrom({ distribution, batch }: Pick<TracedDraw, "distribution" | "batch">): readonly SymbolicArray[] {
  try {
    return distribution.sampler(batch).arrays;
  } catch {
    return [];
  }
}
