/**
 * Variance reduction: gradients relative to a table of each row's last derivative, g = ∇f_i(p) − ∇f_i(old) + mean of the old ones.
 *
 *   svrg   old = all rows at a snapshot, taken every `every` epochs          Johnson, Zhang 2013
 *   saga   old = each row at its own last visit; unbiased                    Defazio, Bach, Lacoste-Julien 2014
 *   sag    as saga, but the fresh difference weighs 1/n: biased, less noise  Le Roux, Schmidt, Bach 2012
 *
 * Memory: one float64 a row and output, and one mean gradient. SVRG's snapshot is a pass over all rows, counted in the run's time.
 * Any rule may follow; with sgd() a constant rate of 1/(3L) (SAGA, SVRG) or 1/L (SAG) converges linearly, L the largest curvature of a row. SAG
 * at that rate needs rows drawn with replacement: in a fixed or shuffled order its memory ages too evenly, and it diverges (Gürbüzbalaban,
 * Ozdaglar, Parrilo 2017).
 */
import { checkKeys, checkNumber, OptionError } from "../../base/errors.ts";
import type { JsonObject } from "../../contract.ts";

export interface Variance {
  readonly name: "svrg" | "saga" | "sag";
  /** Epochs between snapshots (svrg). */
  readonly every: number;
  toJson(): JsonObject;
}

export function svrg(options: { every?: number } = {}): Variance {
  checkKeys("svrg", options, ["every"]);
  const every = options.every ?? 1;
  checkNumber("svrg", "every", every, { low: 1, integer: true });
  return { name: "svrg", every, toJson: () => ({ name: "svrg", every }) };
}

export const saga = (): Variance => ({ name: "saga", every: 0, toJson: () => ({ name: "saga" }) });
export const sag = (): Variance => ({ name: "sag", every: 0, toJson: () => ({ name: "sag" }) });

export function varianceFrom(json: JsonObject | string): Variance {
  const { name, ...options } = typeof json === "string" ? { name: json } : json;
  if (name === "svrg") return svrg(options as { every?: number });
  if ((name === "saga" || name === "sag") && Object.keys(options).length > 0) {
    throw new OptionError(
      "variance",
      `${name} takes no options, but was given ${Object.keys(options).join(", ")}`,
      "OPTION_UNKNOWN",
    );
  }
  if (name === "saga") return saga();
  if (name === "sag") return sag();
  throw new OptionError("variance", `"${String(name)}" is not known; it must be svrg, saga or sag`, "OPTION_UNKNOWN");
}

/** The constant rate that theory gives for a loss of curvature L a row and a penalty of strength l2. */
export function theoreticalRate(variance: Variance, smoothness: number, l2: number): number {
  const curvature = smoothness + l2;
  return variance.name === "sag" ? 1 / curvature : 1 / (3 * curvature);
}
