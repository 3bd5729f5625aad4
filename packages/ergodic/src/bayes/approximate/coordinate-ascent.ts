import { checkFunction, checkNumbers, plain } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, ErgodicError, OptionError } from "../../engine/errors/errors.ts";

/** Parameters of every factor, by name. */
export type FactorParameters<Name extends string> = Readonly<Record<Name, Float64Array>>;

/** Options of `coordinateAscent`: factors, their updates and the ELBO. */
export interface CoordinateAscentOptions<Name extends string> {
  /** Parameters of every factor at the start, by name. */
  start: FactorParameters<Name>;
  /** Updates by name, in the order of a sweep: each gives its factor's best parameters given all factors. */
  factors: Readonly<Record<Name, (q: FactorParameters<Name>) => Float64Array>>;
  /** The ELBO of the factors in nats; no update may lower it. */
  elbo: (q: FactorParameters<Name>) => number;
  /** Most sweeps. Default 1000; a whole number >= 0. */
  iterations?: number;
  /** Ends where a sweep raises the ELBO by less than this share of its size. Default 1e-8; >= 0. */
  tolerance?: number;
}

/** What `coordinateAscent` found. */
export interface CoordinateAscentResult<Name extends string> {
  /** Parameters of every factor at the end. */
  readonly parameters: FactorParameters<Name>;
  /** At the start, and after each sweep. */
  readonly elbo: Float64Array;
  /** Sweeps made. */
  readonly iterations: number;
  /** Whether the ELBO had stopped to rise. */
  readonly converged: boolean;
}

/** Rounding of an ELBO, a sum of many terms, relative to its size. */
const ROUNDING = 1e-10;

/**
 * Coordinate ascent variational inference: q(z) = Π_i q_i(z_i), each factor in turn the best given the others.
 *
 * In a model that is conjugate piece by piece the best q_i is in its prior's family, with parameters that are the expected
 * natural parameters of its full conditional: exp E_{−i}[log p(x, z)]. A factor's `update` gives those parameters from all
 * factors' parameters; `elbo` is E_q[log p(x, z) − log q(z)] in nats. A sweep updates every factor once, in the order of
 * `factors`. No update can lower the ELBO: one that does is wrong, and an error says so. Ends where a sweep raises the ELBO by less than
 * `tolerance` of its size, or after `iterations` sweeps. Converges to a local maximum: which, the start decides. Source: Bishop
 * 2006, ch. 10; Blei, Kucukelbir, McAuliffe 2017. Worked models: gaussian-mixture.ts, topics.ts.
 *
 *   const { parameters, elbo, converged } = coordinateAscent({ start: { mean, precision }, factors: { mean: (q) => …, precision: (q) => … }, elbo });
 *
 * @throws OptionError; ErgodicError [VARIATIONAL_ELBO] where an update lowers the ELBO or makes it no number
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
  return { parameters: q, elbo: Float64Array.from(trace), iterations: trace.length - 1, converged };
}

function checked(elbo: number, before: number, what: string): number {
  const slack = Number.isFinite(before) ? ROUNDING * Math.max(1, Math.abs(before)) : 0;
  if (elbo >= before - slack && Number.isFinite(elbo)) return elbo;
  const found = Number.isFinite(elbo) ? `lowers the ELBO from ${before} to ${elbo}` : `makes the ELBO ${elbo}`;
  throw new ErgodicError(
    "coordinateAscent",
    `${what} ${found}, which no best factor can; check the updates and the ELBO against each other`,
    "VARIATIONAL_ELBO",
  );
}
