/**
 * Programs of a traced model: the log density with or without its gradient, the tempered density, and the values that
 * draws report.
 */
import type { ArrayProgram, Binding } from "../../engine/compiler/array/lowered.ts";
import {
  add,
  arraysBelow,
  equal,
  full,
  gradientsOf,
  input,
  mul,
  type Shape,
  type SymbolicArray,
  sizeOf,
  where,
} from "../../engine/compiler/index.ts";
import type { TracedModel, TracedReport } from "./context.ts";
import { type Evaluate, type Fixed, withoutInvariants } from "./invariants.ts";

/** Position of a quantity among the values of a draw. */
export interface QuantityPlace {
  readonly name: string;
  readonly kind: "parameter" | "transformed" | "generated";
  readonly shape: Shape;
  readonly offset: number;
  readonly size: number;
}

export const POINT = "u";
export const DENSITY = "density";
export const GRADIENT = "gradient";
export const VALUES = "values";
export const POWER = "power";
export const LIKELIHOOD = "likelihood";

const isMoved = ({ attributes }: SymbolicArray): boolean => attributes === POWER || String(attributes).startsWith("u ");

/** Positions of the parameters' inputs that outputs can read. */
export function bindings({ parameters }: TracedModel): Record<string, Binding> {
  return Object.fromEntries(parameters.map(({ name, offset }) => [`u ${name}`, { buffer: POINT, offset }]));
}

/** Derivatives with respect to each parameter's unconstrained numbers; 0 for integers, which are not differentiable. */
function slopesOf(root: SymbolicArray, { parameters }: TracedModel): SymbolicArray[] {
  const smooth = parameters.filter(({ discrete }) => !discrete);
  const slopes = gradientsOf(
    root,
    smooth.map(({ unconstrained }) => unconstrained),
  );
  const slopeOf = new Map(smooth.map((p, i) => [p, slopes[i]]));
  return parameters.map((p) => (p.discrete ? full(0, p.unconstrained.shape) : slopeOf.get(p)!));
}

/** Results that do not depend on parameters, and the function that computes such results. */
export interface FixedWork {
  /** Data, and results derived from them. */
  readonly values: Fixed;
  readonly evaluate: Evaluate;
}

const reduced = (roots: readonly SymbolicArray[], { values, evaluate }: FixedWork): SymbolicArray[] =>
  withoutInvariants(roots, values, isMoved, evaluate);

/** Program that writes the log densities to their buffers, followed by the gradient. */
function program(name: string, model: TracedModel, values: SymbolicArray[], slopes: SymbolicArray[]): ArrayProgram {
  const buffers = [DENSITY, LIKELIHOOD];
  const gradients = slopes.map((value, i) => ({ value, buffer: GRADIENT, offset: model.parameters[i].offset }));
  return {
    name,
    precision: "f64",
    inputs: bindings(model),
    outputs: [...values.map((value, i) => ({ value, buffer: buffers[i], offset: 0 })), ...gradients],
  };
}

/**
 * Program of the log density. Work that does not depend on parameters is done here, only once, and its results are
 * added to `fixed.values`.
 */
export function densityProgram(name: string, model: TracedModel, fixed: FixedWork, gradient = true): ArrayProgram {
  const [density] = reduced([model.logDensity], fixed);
  if (!gradient) return program(`${name} value`, model, [density], []);
  // Differentiation creates more work that does not depend on parameters.
  const [value, ...slopes] = reduced([density, ...slopesOf(density, model)], fixed);
  return program(name, model, [value], slopes);
}

/**
 * log prior + β log likelihood with β as an input, and the likelihood itself. At β = 0, the first output is the prior
 * alone, even if the likelihood is not finite.
 */
export function temperedProgram(name: string, model: TracedModel, fixed: FixedWork, gradient = true): ArrayProgram {
  const power = input(POWER, []);
  const isPrior = equal(power, 0);
  const raised = (prior: SymbolicArray, likelihood: SymbolicArray): SymbolicArray =>
    where(isPrior, prior, add(prior, mul(power, likelihood)));
  const [prior, likelihood] = reduced([model.logPrior, model.logLikelihood], fixed);
  const own = [raised(prior, likelihood), likelihood];
  if (!gradient) return program(`${name} tempered value`, model, own, []);
  const likelihoodSlopes = slopesOf(likelihood, model);
  const slopes = slopesOf(prior, model).map((slope, i) => raised(slope, likelihoodSlopes[i]));
  const [density, alone, ...rest] = reduced([...own, ...slopes], fixed);
  return program(`${name} tempered`, model, [density, alone], rest);
}

/**
 * Places parameters, then transformed, then generated quantities one after another. Quantities that are drawn at random
 * have places, but no arrays.
 */
export function placesOf(model: TracedModel): { reported: readonly SymbolicArray[]; places: QuantityPlace[] } {
  let offset = 0;
  const place = (own: string, kind: QuantityPlace["kind"], shape: Shape): QuantityPlace => {
    const size = sizeOf(shape);
    offset += size;
    return { name: own, kind, shape, offset: offset - size, size };
  };
  const reports = model.reports ?? usualReports(model);
  const reported = reports.flatMap(({ places, kind }) => places.map(({ name, shape }) => place(name, kind, shape)));
  const drawn = model.drawn.map((d) => place(d.name, "generated", d.shape));
  return { reported: reports.map(({ value }) => value), places: [...reported, ...drawn] };
}

function usualReports({ parameters, quantities }: TracedModel): TracedReport[] {
  const report = (name: string, kind: TracedReport["kind"], value: SymbolicArray, shape = value.shape): TracedReport => ({
    places: [{ name, shape }],
    kind,
    value,
  });
  return [
    ...parameters.map(({ name, value, shape }) => report(name, "parameter", value, shape)),
    ...["transformed", "generated"].flatMap((kind) =>
      quantities.filter((q) => q.kind === kind).map((q) => report(q.name, q.kind, q.value)),
    ),
  ];
}

/** Places arrays one after another in a single buffer. */
export function sideBySide(arrays: readonly SymbolicArray[]): ArrayProgram["outputs"] {
  let offset = 0;
  return arrays.map((value) => {
    offset += value.size;
    return { value, buffer: VALUES, offset: offset - value.size };
  });
}

/** Program of given arrays. Work that does not depend on parameters is done here, only once. */
export function valuesProgram(
  name: string,
  model: TracedModel,
  arrays: readonly SymbolicArray[],
  fixed: FixedWork,
): ArrayProgram {
  return { name, precision: "f64", inputs: bindings(model), outputs: sideBySide(reduced(arrays, fixed)) };
}

/** Whether any of the arrays depends on parameters. */
export const isAnyMoved = (arrays: readonly SymbolicArray[]): boolean =>
  arraysBelow(arrays).some((node) => node.op === "input" && isMoved(node));

/** Names of the inputs that a program reads, except parameters and the power. */
export function fixedInputs({ outputs }: ArrayProgram): string[] {
  const inputs = arraysBelow(outputs.map((o) => o.value)).filter((node) => node.op === "input" && !isMoved(node));
  return inputs.map(({ attributes }) => String(attributes));
}
