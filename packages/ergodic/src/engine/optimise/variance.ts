import type { JsonObject } from "../contract/index.ts";
import { checkNamedJson, holds } from "../errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../errors/errors.ts";
import { shown } from "../errors/shown.ts";

/**
 * Variance reduction: gradients are taken relative to a table of each row's last derivative, g = ∇f_i(p) − ∇f_i(old) +
 * mean of the old gradients.
 *
 *   svrg   old = all rows at a snapshot, taken every `every` epochs          Johnson, Zhang 2013
 *   saga   old = each row at its own last visit; unbiased                    Defazio, Bach, Lacoste-Julien 2014
 *   sag    like saga, with the new difference times 1/n: biased, less noise  Le Roux, Schmidt, Bach 2012
 *
 * Memory: one float64 per row and output, and one mean gradient. Each SVRG snapshot takes a pass over all rows, which
 * counts towards the run's time.
 * Any rule can use these gradients. With sgd(), a constant rate of 1/(3L) (SAGA, SVRG) or 1/L (SAG) gives linear
 * convergence, where L is the largest curvature of a row. At this rate, SAG needs rows that are drawn with replacement.
 * In a fixed or shuffled order, all entries of its table reach the same age, and SAG diverges (Gürbüzbalaban, Ozdaglar,
 * Parrilo 2017).
 */
export interface Variance {
  /** Name of the method. */
  readonly name: "svrg" | "saga" | "sag";
  /** Number of epochs from one snapshot to the next (svrg). */
  readonly every: number;
  /** Returns JSON from which `varianceFromJson` rebuilds this method. */
  toJSON(): JsonObject;
}

/**
 * SVRG: gradients relative to the gradients of all rows at a snapshot of the parameters. Johnson, Zhang 2013.
 *
 * Each snapshot is a pass over all rows. With sgd() at a rate of 1/(3L), SVRG converges linearly, where L is the
 * largest curvature of a row.
 */
export function svrg(
  options: {
    /** Number of epochs between snapshots, a whole number >= 1. Default 1. */
    every?: number;
  } = {},
): Variance {
  checkKeys("svrg", options, ["every"]);
  const every = options.every ?? 1;
  checkNumber("svrg", "every", every, { low: 1, integer: true });
  return { name: "svrg", every, toJSON: () => ({ name: "svrg", every }) };
}

/**
 * SAGA: replaces each row's gradient by its difference from the row's gradient at the last visit, plus the mean of all
 * these stored gradients, which is unbiased and has less variance. Defazio, Bach, Lacoste-Julien 2014.
 *
 * Memory: one float64 per row and output. With sgd() at a rate of 1/(3L), SAGA converges linearly, where L is the
 * largest curvature of a row.
 */
export const saga = (options: Record<never, never> = {}): Variance => without("saga", options);
/**
 * SAG: like saga(), but the new difference is multiplied by 1/n, which adds bias and reduces noise. Le Roux, Schmidt,
 * Bach 2012.
 *
 * Memory: one float64 per row and output. At its rate of 1/L, SAG needs rows that are drawn with replacement. This is
 * then the default of `fit`.
 */
export const sag = (options: Record<never, never> = {}): Variance => without("sag", options);

function without(name: "saga" | "sag", options: object): Variance {
  checkKeys(name, options, []);
  return { name, every: 0, toJSON: () => ({ name }) };
}

export const isVariance = (value: unknown): value is Variance =>
  holds(value, "every") && ["svrg", "saga", "sag"].includes((value as Variance).name);

/**
 * Returns the variance reduction method with this name, or rebuilds a method from its `toJSON()`.
 * @throws OptionError for an unknown name
 */
export function varianceFromJson(json: JsonObject | string): Variance {
  const described = typeof json === "string" ? { name: json } : json;
  checkNamedJson("varianceFromJson", described, "name", "a variance reduction");
  const { name, ...options } = described;
  if (name === "svrg") return svrg(options as { every?: number });
  if (name === "saga") return saga(options);
  if (name === "sag") return sag(options);
  throw new OptionError("variance", `${shown(name)} is not known; it must be svrg, saga or sag`, "OPTION_UNKNOWN");
}

/** Returns the constant rate that theory recommends for a loss of curvature L per row and a penalty of strength l2. */
export function theoreticalRate(variance: Variance, smoothness: number, l2: number): number {
  const curvature = smoothness + l2;
  return variance.name === "sag" ? 1 / curvature : 1 / (3 * curvature);
}
