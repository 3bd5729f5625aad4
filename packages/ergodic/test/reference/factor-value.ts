import type { GraphFactor } from "../../src/entries/everything.ts";

/**
 * φ of a factor by its definition, from its literals, 1 if they hold and 0 otherwise, head last. Plain twin of the
 * machines.
 */
export function logicalValue(kind: string, literals: readonly number[]): number {
  const body = literals.slice(0, -1);
  const head = literals[literals.length - 1];
  const bodyHolds = body.every((one) => one === 1);
  const votes = literals.length === 1 ? head : body.filter((one) => one === 0 || head === 1).length;
  const allHold = literals.every((one) => one === 1);
  const anyHolds = literals.some((one) => one === 1);
  switch (kind) {
    case "implyNatural":
      return bodyHolds ? (head === 1 ? 1 : -1) : 0;
    case "or":
      return anyHolds ? 1 : -1;
    case "and":
    case "isTrue":
      return allHold ? 1 : -1;
    case "equal":
      return allHold || !anyHolds ? 1 : -1;
    case "linear":
      return votes;
    case "ratio":
      return Math.log2(1 + votes);
    case "logical":
      return votes > 0 ? 1 : 0;
    case "all":
      return allHold ? 1 : 0;
    case "imply":
      return bodyHolds ? head : 1;
    default:
      throw new Error(`no function ${kind}`);
  }
}

/** φ of any factor at a joint state of all variables. */
export function factorValue(
  factor: GraphFactor,
  states: ArrayLike<number>,
  counts: readonly number[],
  weights: readonly number[],
): number {
  const { kind, variables, values, logs, probabilities = [], most = 0 } = factor;
  if (kind === "table") {
    let at = 0;
    for (const variable of variables) at = at * counts[variable] + states[variable];
    return logs ? Math.exp(values![at]) : values![at];
  }
  const literals = variables.map((variable, i) => (states[variable] === factor.states[i] ? 1 : 0));
  const held = literals.filter((one) => one === 1).length;
  if (kind === "oneOf") return held === 1 ? 1 : 0;
  if (kind === "atMost") return held <= most ? 1 : 0;
  if (kind === "noisyOr") {
    const parents = literals.length - 1;
    let logOff = Math.log1p(-probabilities[parents]);
    for (let i = 0; i < parents; i++) if (literals[i]) logOff += Math.log1p(-probabilities[i]);
    return literals[parents] ? -Math.expm1(logOff) : Math.exp(logOff);
  }
  return Math.exp(weights[factor.weight!] * factor.feature! * logicalValue(kind, literals));
}
