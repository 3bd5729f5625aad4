import { checkFunction, checkNumbers, plain } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";

/** Parameters of every factor, by name. */
export type FactorParameters<Name extends string> = Readonly<Record<Name, Float64Array>>;

/** Options of `coordinateAscent`: factors, their updates and the ELBO. */
export interface CoordinateAscentOptions<Name extends string> {
  /** Initial parameters of every factor, by name. */
  start: FactorParameters<Name>;
  /**
   * Updates of the factors by name, in the order in which a sweep makes them. Each update returns the best parameters
   * of its factor, given all factors.
   */
  factors: Readonly<Record<Name, (q: FactorParameters<Name>) => Float64Array>>;
  /** ELBO of the factors in nats. No update may lower it. */
  elbo: (q: FactorParameters<Name>) => number;
  /** Maximum number of sweeps. Default 1000; a whole number >= 0. */
  iterations?: number;
  /** Relative increase of the ELBO per sweep below which the ascent ends. Default 1e-8; >= 0. */
  tolerance?: number;
}

/** Result of `coordinateAscent`. */
export interface CoordinateAscentResult<Name extends string> {
  /** Final parameters of every factor. */
  readonly parameters: FactorParameters<Name>;
  /** ELBO at the start and after each sweep. */
  readonly elbo: Float64Array;
  /** Number of sweeps made. */
  readonly iterations: number;
  /** Whether the ELBO stopped rising. */
  readonly converged: boolean;
}

/** Relative rounding error of an ELBO, which is a sum of many terms. */
const ROUNDING = 1e-10;

/**
 * Coordinate ascent variational inference: q(z) = Π_i q_i(z_i), where each factor in turn is set to its optimum given
 * the others.
 *
 * In a conditionally conjugate model, the best q_i is in the family of its prior: exp E_{−i}[log p(x, z)]. Its natural
 * parameters are the expected natural parameters of the full conditional. A factor's update (`factors`) returns these
 * parameters, given the current parameters of all factors. The initial parameters are `start`, and `elbo` is E_q[log
 * p(x, z) − log q(z)] in nats.
 *
 * A sweep updates every factor once, in the order of `factors`. No correct update can lower the ELBO, so a decrease
 * raises an error. Ends when a sweep raises the ELBO by less than `tolerance` of its size, or after `iterations`
 * sweeps. Converges to a local maximum that depends on the start.
 *
 * Source: Bishop 2006, ch. 10; Blei, Kucukelbir, McAuliffe 2017. Worked models: gaussian-mixture.ts, topics.ts.
 *
 * @throws OptionError; ErgodicError [VARIATIONAL_ELBO] if an update lowers the ELBO or makes it NaN or infinite
 *
 * @example
 * ```ts
 * const factors = { mean: (q) => …, precision: (q) => … };
 * const { parameters, elbo, converged } = coordinateAscent({ start: { mean, precision }, factors, elbo });
 * ```
 */
export function coordinateAscent<Name extends string>(given: CoordinateAscentOptions<Name>): CoordinateAscentResult<Name> {
  checkKeys("coordinateAscent", given, ["start", "factors", "elbo", "iterations", "tolerance"]);
  const { start, factors, elbo, iterations = 1000, tolerance = 1e-8 } = given;
  checkNumber("coordinateAscent", "iterations", iterations, { low: 0, high: 1e9, integer: true });
  checkNumber("coordinateAscent", "tolerance", tolerance, { low: 0 });
  checkFunction("coordinateAscent", "elbo", elbo, "a function of the factors", "(q) => elbo");
  plain("coordinateAscent.factors", factors);
  plain("coordinateAscent.start", start);
  const names = Object.keys(factors) as Name[];
  for (const name of names)
    checkFunction(
      "coordinateAscent.factors",
      name,
      factors[name],
      "a function of the factors",
      "(q) => parameters of the factor",
    );
  for (const [name, given] of Object.entries(start)) checkNumbers("coordinateAscent.start", name, given);
  const without = names.find((name) => !start[name]) ?? Object.keys(start).find((name) => !factors[name as Name]);
  if (without !== undefined)
    throw new OptionError("coordinateAscent", `"${without}" has no start or no factor; give both`, "OPTION_CONFLICT");
  let q: Record<Name, Float64Array> = { ...start };
  const trace = [checked(elbo(q), -Infinity, "the start")];
  let converged = false;
  while (!converged && trace.length <= iterations) {
    const before = trace[trace.length - 1];
    for (const name of names) q = { ...q, [name]: factors[name](q) };
    const after = checked(elbo(q), before, `sweep ${trace.length} of ${names.map((name) => `"${name}"`).join(", ")}`);
    trace.push(after);
    converged = after - before <= tolerance * Math.abs(after);
  }
  return printable({ parameters: q, elbo: Float64Array.from(trace), iterations: trace.length - 1, converged });
}

function checked(elbo: number, before: number, what: string): number {
  const slack = Number.isFinite(before) ? ROUNDING * Math.max(1, Math.abs(before)) : 0;
  if (elbo >= before - slack && Number.isFinite(elbo)) return elbo;
  const found = Number.isFinite(elbo) ? `lowers the ELBO from ${before} to ${elbo}` : `makes the ELBO ${elbo}`;
  throw new ErgodicError(
    "coordinateAscent",
    `${what} ${found}, which an optimal factor cannot do; check the updates and the ELBO against each other`,
    "VARIATIONAL_ELBO",
  );
}
