/**
 * Response families, with the values that they accept, their link to the linear predictor η, and their own parameters.
 */

import { exp, mul, neg, type SymbolicArray } from "../../engine/compiler/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import {
  bernoulliLogit,
  binomialLogit,
  type Distribution,
  gamma,
  negativeBinomialMean,
  normal,
  orderedLogistic,
  poissonLog,
  student,
} from "../model/index.ts";
import type { ModelRows } from "./design.ts";
import type { Formula } from "./terms.ts";

/** Name of a family. */
export type FamilyName = "gaussian" | "student" | "bernoulli" | "binomial" | "poisson" | "negativeBinomial" | "gamma" | "ordinal";

/** Parameters other than η. `threshold`: cut points of an ordinal response. */
export type FamilyParameter = "sigma" | "nu" | "shape" | "threshold";

export interface ResponseFamily {
  readonly name: FamilyName;
  readonly link: "identity" | "log" | "logit";
  readonly parameters: readonly FamilyParameter[];
  /** Description of the valid values, for error messages. `fits` tests whether a value is valid. */
  readonly wanted: string;
  fits(value: number): boolean;
  distribution(
    eta: SymbolicArray,
    parameters: Readonly<Record<FamilyParameter, SymbolicArray>>,
    trials: SymbolicArray,
  ): Distribution;
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;

const families: Readonly<Record<FamilyName, ResponseFamily>> = {
  gaussian: {
    ...{ name: "gaussian", link: "identity", parameters: ["sigma"], wanted: "a number" },
    fits: Number.isFinite,
    distribution: (eta, { sigma }) => normal(eta, sigma),
  },
  student: {
    ...{ name: "student", link: "identity", parameters: ["sigma", "nu"], wanted: "a number" },
    fits: Number.isFinite,
    distribution: (eta, { sigma, nu }) => student(nu, eta, sigma),
  },
  bernoulli: {
    ...{ name: "bernoulli", link: "logit", parameters: [], wanted: "0 or 1, or one of two levels" },
    fits: (value) => value === 0 || value === 1,
    distribution: (eta) => bernoulliLogit(eta),
  },
  binomial: {
    ...{ name: "binomial", link: "logit", parameters: [], wanted: "a whole number from 0 to its trials" },
    fits: isCount,
    distribution: (eta, _, trials) => binomialLogit(trials, eta),
  },
  poisson: {
    ...{ name: "poisson", link: "log", parameters: [], wanted: "a whole number >= 0" },
    fits: isCount,
    distribution: (eta) => poissonLog(eta),
  },
  negativeBinomial: {
    ...{ name: "negativeBinomial", link: "log", parameters: ["shape"], wanted: "a whole number >= 0" },
    fits: isCount,
    distribution: (eta, { shape }) => negativeBinomialMean(exp(eta), shape),
  },
  gamma: {
    ...{ name: "gamma", link: "log", parameters: ["shape"], wanted: "a number above 0" },
    fits: (value) => value > 0,
    distribution: (eta, { shape }) => gamma(shape, mul(shape, exp(neg(eta)))),
  },
  ordinal: {
    ...{ name: "ordinal", link: "logit", parameters: ["threshold"], wanted: "one of its levels" },
    fits: isCount,
    distribution: (eta, { threshold }) => orderedLogistic(eta, threshold),
  },
};

/** Names of the response families of regression(). */
export const familyNames = Object.keys(families) as readonly FamilyName[];

export const familyOf = (name: FamilyName): ResponseFamily => families[name];

/** Our names for the families of other programs and for kinds of responses. */
export const familySynonyms: Readonly<Record<string, FamilyName>> = {
  normal: "gaussian",
  linear: "gaussian",
  t: "student",
  studentT: "student",
  student_t: "student",
  logistic: "bernoulli",
  logit: "bernoulli",
  count: "poisson",
  negbinomial: "negativeBinomial",
  negbin: "negativeBinomial",
  nb: "negativeBinomial",
  neg_binomial_2: "negativeBinomial",
  negative_binomial: "negativeBinomial",
  "negative binomial": "negativeBinomial",
  Gamma: "gamma",
  cumulative: "ordinal",
  ordered: "ordinal",
};

/** Families of brms that are not supported, by the distribution with which to write a model(). */
export const unsupportedFamilies: Readonly<Record<string, string>> = {
  beta: "beta",
  categorical: "categorical",
  dirichlet: "dirichlet",
  exponential: "exponential",
  lognormal: "lognormal",
  weibull: "weibull",
};

export interface Response {
  readonly values: Float64Array;
  /** Level names of a categorical response, indexed by its values. */
  readonly levels?: readonly string[];
}

/** @throws DataError with the row and a correction */
export function responseOf(
  where: string,
  { response, trials }: Formula,
  { name, fits, wanted }: ResponseFamily,
  rows: ModelRows,
): Response {
  const { label } = response;
  const wrong = (message: string, code = "DATA_RANGE"): DataError => new DataError(where, message, code);
  if (name === "binomial" && !trials)
    throw wrong(
      `the family is binomial, but the formula has no trials; write "${label} | trials(n) ~ …", or use the family bernoulli for 0 and 1`,
      "DATA_MISSING",
    );
  if (name !== "binomial" && trials)
    throw wrong(`the formula has trials(${trials.label}), but the family is ${name}; use the family binomial`, "DATA_SHAPE");
  const found = name === "bernoulli" || name === "ordinal" ? leveled(where, name, label, rows, response) : undefined;
  const values = found ? found.values : rows.numbers(response);
  const at = values.findIndex((value) => !fits(value));
  if (at >= 0)
    throw wrong(
      `"${label}" is ${values[at]} in row ${at + 1}, but for the family ${name} it must be ${wanted}; ${adviceFor(name, values[at])}`,
    );
  if (found) return found;
  if (trials) {
    const counts = rows.numbers(trials);
    const off = counts.findIndex((n, i) => !isCount(n) || n < values[i]);
    if (off >= 0)
      throw wrong(
        `"${label}" is ${values[off]} of ${counts[off]} trials ("${trials.label}") in row ${off + 1}, but the number of trials must be a whole number, at least as large as the count; correct the row`,
      );
  }
  return { values };
}

function leveled(
  where: string,
  name: FamilyName,
  label: string,
  rows: ModelRows,
  response: Formula["response"],
): Response | undefined {
  const column = rows.levels(response);
  if (name === "ordinal") {
    const { levels, codes } = column ?? rows.numbersAsLevels(response);
    if (column && !column.isOrdered)
      throw new DataError(
        where,
        `"${label}" has levels in an unknown order (${levels.slice(0, 5).join(", ")}); give their order, levels: { ${label}: [${levels
          .slice(0, 3)
          .map((level) => `"${level}"`)
          .join(", ")}] }, from low to high`,
        "DATA_LEVEL",
      );
    if (levels.length < 3)
      throw new DataError(
        where,
        `"${label}" has ${levels.length} levels, but an ordinal response needs at least 3; use the family bernoulli`,
        "DATA_LEVEL",
      );
    return { values: Float64Array.from(codes), levels };
  }
  if (!column) return undefined;
  const { levels, codes } = column;
  if (levels.length !== 2)
    throw new DataError(
      where,
      `"${label}" has ${levels.length} levels (${levels.slice(0, 5).join(", ")}), but the family bernoulli needs two; use the family ordinal if they have an order, or make a column of 0 and 1`,
      "DATA_LEVEL",
    );
  return { values: Float64Array.from(codes), levels };
}

function adviceFor(name: FamilyName, value: number): string {
  if (name === "bernoulli") return "make it 0 and 1, or use the family poisson for counts, gaussian for other numbers";
  if (name === "gamma") return value === 0 ? "remove zeros, or use the family gaussian" : "use the family gaussian";
  return Number.isInteger(value) ? "use the family gaussian" : "use the family gamma or gaussian for numbers that are not counts";
}
