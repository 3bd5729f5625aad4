/** Kinds of predictive validation of a model on its own data, and the conditions under which each is refused. */
import { checkBoolean } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, OptionError } from "../../engine/errors/errors.ts";

/** Options of `draws.loo` and `draws.waic`. */
export interface PredictiveOptions {
  /**
   * Whether to predict each value from the earlier ones if terms depend on each other. Default false: such terms are
   * refused.
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
    `the terms of "${name}" depend on each other (each reads values observed before it, as in hiddenMarkov(), a regression on earlier values or errors that a scan follows), so that to drop one is not to leave its value out; ${where}("${name}", { oneStepAhead: true }) predicts each value from those before it`,
    "DRAWS_DEPENDENT",
  );
}

export function nothingObserved(where: string, hasTarget: boolean): OptionError {
  const why = hasTarget ? "what target() adds is one sum, of which no value can be left out" : "there is nothing to predict";
  return new OptionError(
    where,
    `the model observes nothing: ${why}; write the likelihood by observe() or marginalise()`,
    "DRAWS_MODEL",
  );
}

/**
 * Smallest number of draws S for p-values. For a correct model, p is 0 or 1 with probability 2/(S + 1), which exceeds 5
 * % with fewer draws.
 */
const FEWEST_CHECKED = 39;

/** @throws OptionError [DRAWS_FEW] if there are too few draws for meaningful p-values */
export function refuseFew(where: string, count: number): void {
  if (count >= FEWEST_CHECKED) return;
  throw new OptionError(
    where,
    `there ${count === 1 ? "is 1 draw" : `are ${count} draws`}, but p-values need at least ${FEWEST_CHECKED}: of fewer they are 0 or 1 too often where the model is right; draw more (draws: 1000)`,
    "DRAWS_FEW",
  );
}
