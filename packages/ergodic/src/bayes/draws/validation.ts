/**
 * Predictive validation of a model on its own data: the kinds of validation, and the conditions under which each kind
 * is refused.
 */
import { checkBoolean } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, OptionError } from "../../engine/errors/errors.ts";

/** Options of `draws.loo` and `draws.waic`. */
export interface PredictiveOptions {
  /**
   * Whether to predict each value from the earlier values if the terms of the observation depend on each other. Default
   * false: such terms are refused.
   */
  readonly oneStepAhead?: boolean;
}

/**
 * Kind of validation. "leave-one-out": each value is predicted from all others. "one-step-ahead": each value is
 * predicted from earlier values, but the parameters are informed by all other terms.
 */
export type PredictiveKind = "leave-one-out" | "one-step-ahead";

/** Result with the kind of validation and the name of the observed quantity. */
export type PredictiveResult<Result> = Result & { readonly kind: PredictiveKind; readonly observed: string };

/** @throws CapabilityError [DRAWS_DEPENDENT] if terms depend on each other and `oneStepAhead` is false */
export function predictiveKind(where: string, name: string, dependent: boolean, options: PredictiveOptions): PredictiveKind {
  checkKeys(where, options, ["oneStepAhead"]);
  const { oneStepAhead = false } = options;
  checkBoolean(where, "oneStepAhead", oneStepAhead);
  if (!dependent) return "leave-one-out";
  if (oneStepAhead) return "one-step-ahead";
  throw new CapabilityError(
    where,
    `the terms of "${name}" depend on each other (each reads earlier observations, as in hiddenMarkov(), an autoregression, or errors carried by a scan), so that dropping a term does not leave its value out; ${where}("${name}", { oneStepAhead: true }) predicts each value from those before it`,
    "DRAWS_DEPENDENT",
  );
}

export function nothingObserved(where: string, hasTarget: boolean): OptionError {
  const why = hasTarget ? "target() adds a single sum, from which no observation can be left out" : "there is nothing to predict";
  return new OptionError(
    where,
    `the model observes nothing: ${why}; write the likelihood with observe() or marginalise()`,
    "DRAWS_MODEL",
  );
}

/**
 * Smallest number of draws S for p-values. For a correct model, p is 0 or 1 with probability 2/(S + 1). This
 * probability exceeds 5 % if S is below 39.
 */
const FEWEST_CHECKED = 39;

/** @throws OptionError [DRAWS_FEW] if there are too few draws for meaningful p-values */
export function refuseFew(where: string, count: number): void {
  if (count >= FEWEST_CHECKED) return;
  throw new OptionError(
    where,
    `there ${count === 1 ? "is 1 draw" : `are ${count} draws`}, but p-values need at least ${FEWEST_CHECKED}: with fewer, they are too often 0 or 1 even if the model is right; draw more (draws: 1000)`,
    "DRAWS_FEW",
  );
}
