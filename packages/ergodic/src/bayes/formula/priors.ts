/**
 * Default priors of a regression. The defaults are the same as in brms, except for coefficients. Coefficients have flat
 * priors in brms, but here they have the priors of rstanarm.
 *
 *   coefficients   normal(0, 2.5 · s / sd(x)); s: standard deviation of the response for gaussian and student, else 1
 *   Intercept      student(3, median of the response on the link's scale, spread), for centred columns; (3, 0, 2.5) for a logit
 *   sd             halfStudent(3, spread), for effects of groups and for smooths
 *   sigma          halfStudent(3, spread)
 *   cor            LKJ(1): uniform over correlation matrices
 *   nu             gamma(2, 0.1) above 1
 *   shape          inverseGamma(0.4, 0.3) for negativeBinomial, gamma(0.01, 0.01) for gamma
 *   threshold      student(3, 0, 2.5), in order
 *
 * spread = max(2.5, 1.4826 · median absolute deviation of the response on the link's scale), both rounded to one
 * decimal as in brms; a count of 0 counts as 0.1 on the log scale.
 *
 * A flat prior on coefficients would not allow draws from the prior, and therefore no calibration. Estimates would also
 * be infinite if a column separates a 0/1 response.
 *
 * @throws OptionError for a prior of a parameter that the model does not have
 */
import { interpret } from "../../engine/compiler/index.ts";
import { holds, isPlainObject, refuse } from "../../engine/errors/checks.ts";
import { checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { log } from "../../engine/numbers/log.ts";
import { quantile } from "../../engine/statistics/quantile.ts";
import { Distribution, gamma, halfStudent, inverseGamma, normal, student } from "../model/index.ts";
import type { FamilyParameter, ResponseFamily } from "./response-families.ts";

/** Priors of a regression, either for all parameters of a kind or for one parameter by name. */
export interface RegressionPriors {
  /** Prior of all coefficients except the intercept. */
  readonly b?: Distribution;
  /** Prior of the intercept at the means of all columns. */
  readonly Intercept?: Distribution;
  /**
   * Prior of the standard deviations for group effects and smooths. A single standard deviation has a key such as
   * "sd(school): x".
   */
  readonly sd?: Distribution;
  /** η of the LKJ prior of correlations, > 0. */
  readonly cor?: number;
  /** Prior of the residual scale. */
  readonly sigma?: Distribution;
  /** Prior of the degrees of freedom, for the family student. */
  readonly nu?: Distribution;
  /** Prior of the shape of gamma and negativeBinomial. */
  readonly shape?: Distribution;
  /** Prior of the thresholds of an ordinal response. */
  readonly threshold?: Distribution;
  /** Prior of a coefficient or standard deviation by name. */
  readonly [name: string]: Distribution | number | undefined;
}

const WHERE = "regression";
const LEAST_SPREAD = 2.5;

export class Priors {
  readonly #given: RegressionPriors;
  readonly #family: ResponseFamily;
  readonly #centre: number;
  readonly #spread: number;
  readonly #unit: number;
  readonly #asked = new Set<string>();
  /** The priors in use by the name of the parameter, as text. Filled while the model is traced. */
  readonly used: Record<string, string> = {};

  /** `response`: observed values. */
  constructor(given: RegressionPriors, family: ResponseFamily, response: Float64Array) {
    this.#given = given;
    this.#family = family;
    const linked = family.link === "log" ? response.map((y) => log(y === 0 ? 0.1 : y)) : response;
    const isLogit = family.link === "logit";
    const median = quantile(linked, 0.5);
    const deviation =
      1.4826 *
      quantile(
        linked.map((y) => Math.abs(y - median)),
        0.5,
      );
    this.#centre = isLogit ? 0 : rounded(median);
    this.#spread = isLogit ? LEAST_SPREAD : Math.max(LEAST_SPREAD, rounded(deviation));
    this.#unit = family.link === "identity" ? deviationOf(response) || 1 : 1;
  }

  /** Returns the prior of a coefficient. `deviation`: standard deviation of its column. */
  coefficient(name: string, deviation: number): Distribution {
    return this.#use(name, this.#of([name, "b"]) ?? normal(0, (LEAST_SPREAD * this.#unit) / (deviation || 1)));
  }

  intercept(): Distribution {
    return this.#use("Intercept", this.#of(["Intercept"]) ?? student(3, this.#centre, this.#spread));
  }

  /** Returns the prior of a standard deviation by its name. */
  sd(name: string, group?: string): Distribution {
    const own = this.#of([name, ...(group === undefined ? [] : [group]), "sd"]);
    return this.#use(name, own ?? halfStudent(3, this.#spread));
  }

  /** η of the LKJ prior of the correlations of a group's effects. */
  correlation(group: string): number {
    this.#asked.add("cor");
    const eta = this.#given.cor ?? 1;
    this.used[`cor(${group})`] = `lkj(${eta})`;
    return eta;
  }

  of(parameter: FamilyParameter): Distribution {
    return this.#use(parameter, this.#of([parameter]) ?? this.#usual(parameter));
  }

  #usual(parameter: FamilyParameter): Distribution {
    if (parameter === "sigma") return halfStudent(3, this.#spread);
    if (parameter === "threshold") return student(3, 0, LEAST_SPREAD);
    if (parameter === "nu") return gamma(2, 0.1);
    return this.#family.name === "gamma" ? gamma(0.01, 0.01) : inverseGamma(0.4, 0.3);
  }

  /** @throws OptionError for a prior that was never requested */
  checkAllAsked(): void {
    const unknown = Object.keys(this.#given).find((name) => !this.#asked.has(name));
    if (unknown === undefined) return;
    const known = [...this.#asked];
    const near = nearest(unknown, known);
    throw new OptionError(
      WHERE,
      `priors has "${unknown}", but this model has no such parameter${near === undefined ? "" : `; did you mean "${near}"?`} (it has ${known.join(", ")})`,
      "OPTION_UNKNOWN",
    );
  }

  #use(name: string, prior: Distribution): Distribution {
    const numbers = interpret(Object.values(prior.parameters), {}).map(([number]) => Number(number.toPrecision(4)));
    this.used[name] = `${prior.name}(${numbers.join(", ")})`;
    return prior;
  }

  #of(names: readonly string[]): Distribution | undefined {
    for (const name of names) this.#asked.add(name);
    const found = names.find((name) => Object.hasOwn(this.#given, name) && this.#given[name] !== undefined);
    return found === undefined ? undefined : (this.#given[found] as Distribution);
  }
}

/** Checks everything that does not depend on the data. */
export function checkPriors(priors: unknown): asserts priors is RegressionPriors {
  if (!isPlainObject(priors) || priors instanceof Distribution)
    refuse(WHERE, "priors", priors, "an object of distributions by name", "priors: { b: normal(0, 1) }");
  for (const [name, prior] of Object.entries(priors)) {
    if (prior === undefined) continue;
    if (name === "cor") checkNumber(WHERE, "priors.cor", prior as number, { low: 0, open: true });
    else if (!(prior instanceof Distribution))
      refuse(WHERE, `priors["${name}"]`, prior, "a distribution", `"${name}": normal(0, 1)`);
    else if (prior.kind === "discrete" || prior.eventRank > 0 || prior.batch.length > 0)
      throw new OptionError(
        WHERE,
        `priors["${name}"] is ${prior.name} of ${prior.kind === "discrete" ? "whole numbers" : "several numbers"}, but must be of one real number; write normal(0, 1)`,
        "OPTION_TYPE",
      );
    else if (!holds(prior, "logDensity")) refuse(WHERE, `priors["${name}"]`, prior, "a distribution", "normal(0, 1)");
  }
}

/** Whether the support of a prior has a lower bound. */
export function isPositive({ support }: Distribution): boolean {
  return support.kind === "interval" && support.low !== undefined;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
}
