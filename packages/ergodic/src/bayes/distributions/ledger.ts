import { input, type SymbolicArray } from "../../engine/compiler/index.ts";
import { rankOf, type Support, wantedOf } from "./constraint.ts";
import { constraintsOf, distributionNames, distributionOf } from "./distribution.ts";

/** Parameters and capabilities of a distribution. */
export interface DistributionRow {
  /** Name of the function. */
  readonly name: string;
  /** Arguments in order, with the constraint on each. */
  readonly parameters: readonly { readonly name: string; readonly wanted: string }[];
  /** Whether its values are real or whole numbers. */
  readonly kind: "continuous" | "discrete";
  /** Set of values, in terms of the parameter names. */
  readonly support: string;
  /**
   * Form in which P(X ≤ x) is known. "arrays": in the compiler's arrays, so that truncated() and censored() accept
   * symbolic parameters. "numbers": for numbers only. "none": unknown.
   */
  readonly cdf: "arrays" | "numbers" | "none";
  /** Whether the inverse of P(X ≤ x) is known. */
  readonly quantile: boolean;
  /** Whether its mean and its variance are known. */
  readonly moments: boolean;
}

/** Placeholder extent, printed as K. No distribution's support has this number as an actual bound. */
const SIZE = 97;

/**
 * Lists every distribution with its own parameters, sorted by name. docs/distributions.md is generated from this list.
 * Distributions made from other distributions are not listed.
 */
export function distributionLedger(): DistributionRow[] {
  return distributionNames().sort().map(rowOf);
}

function rowOf(name: string): DistributionRow {
  const constraints = Object.entries(constraintsOf(name)!);
  const given = constraints.map(([own, constraint]) =>
    input(
      own,
      Array.from({ length: rankOf(constraint) }, () => SIZE),
    ),
  );
  const distribution = distributionOf(name)!(...given);
  const { family } = distribution;
  return {
    name,
    parameters: constraints.map(([own, constraint]) => ({ name: own, wanted: wantedOf(constraint) })),
    kind: family.kind,
    support: supportText(distribution.support),
    cdf: family.logCdf && family.logSurvival ? "arrays" : family.cdf ? "numbers" : "none",
    quantile: family.quantile !== undefined,
    moments: family.mean !== undefined && family.variance !== undefined,
  };
}

const words: Readonly<Record<string, string>> = {
  circle: "angles from −π to π, without a cut",
  vector: "vectors",
  simplex: "vectors of numbers >= 0 with sum 1",
  counts: "vectors of whole numbers >= 0",
  correlationCholesky: "Cholesky factors of correlation matrices",
};

function supportText(support: Support): string {
  if (support.kind !== "interval" && support.kind !== "integers") return words[support.kind];
  const what = support.kind === "interval" ? "numbers" : "whole numbers";
  const [low, high] = [support.low, support.high].map((end) => end && endText(end));
  if (low !== undefined && high !== undefined) return `${what} from ${low} to ${high}`;
  return low === undefined && high === undefined ? what : low === undefined ? `${what} <= ${high}` : `${what} >= ${low}`;
}

const known: ReadonlyMap<number, string> = new Map([
  [SIZE, "K"],
  [SIZE - 1, "K − 1"],
  [Math.PI, "π"],
  [-Math.PI, "−π"],
]);

/** Formats a bound: a number, a parameter's name, or an expression. */
function endText({ op, attributes, args }: SymbolicArray): string {
  if (op === "input") return String(attributes);
  if (op === "full") return known.get(attributes as number) ?? String(attributes);
  return `${op}(${args.map(endText).join(", ")})`;
}
