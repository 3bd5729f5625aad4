/** A traced model as programs: the log density with its gradient, and the values that draws report. */
import type { ArrayProgram, Binding } from "../../compiler/array/lowered.ts";
import { arraysBelow, gradientsOf, type Shape, type SymbolicArray, sizeOf } from "../../compiler/index.ts";
import type { TracedModel } from "./context.ts";
import { type Fixed, withoutInvariants } from "./invariants.ts";

/** Where a quantity lies among the values of a draw. */
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

const isMoved = ({ attributes }: SymbolicArray): boolean => String(attributes).startsWith("u ");

/** Where the parameters' inputs lie, for those that the outputs read. */
function bindings({ parameters }: TracedModel): Record<string, Binding> {
  return Object.fromEntries(parameters.map(({ name, offset }) => [`u ${name}`, { buffer: POINT, offset }]));
}

/** Fixed work is done here, once, and its results are added to `fixed`. */
export function densityProgram(name: string, model: TracedModel, fixed: Fixed): ArrayProgram {
  const wrts = model.parameters.map(({ unconstrained }) => unconstrained);
  const [density] = withoutInvariants([model.logDensity], fixed, isMoved);
  // Derivatives make fixed work of their own.
  const [value, ...slopes] = withoutInvariants([density, ...gradientsOf(density, wrts)], fixed, isMoved);
  const gradients = slopes.map((slope, i) => ({ value: slope, buffer: GRADIENT, offset: model.parameters[i].offset }));
  return { name, precision: "f64", inputs: bindings(model), outputs: [{ value, buffer: DENSITY, offset: 0 }, ...gradients] };
}

/** Parameters, then transformed, then generated quantities, one after another; those that are drawn have places alone. */
export function valuesProgram(name: string, model: TracedModel): { program: ArrayProgram; places: QuantityPlace[] } {
  let offset = 0;
  const place = (own: string, kind: QuantityPlace["kind"], shape: Shape): QuantityPlace => {
    const size = sizeOf(shape);
    offset += size;
    return { name: own, kind, shape, offset: offset - size, size };
  };
  const reported = [
    ...model.parameters.map((p) => ({ at: place(p.name, "parameter", p.shape), value: p.value })),
    ...["transformed", "generated"].flatMap((kind) =>
      model.quantities.filter((q) => q.kind === kind).map((q) => ({ at: place(q.name, q.kind, q.value.shape), value: q.value })),
    ),
  ];
  const drawn = model.drawn.map((d) => place(d.name, "generated", d.shape));
  return {
    program: {
      name: `${name} values`,
      precision: "f64",
      inputs: bindings(model),
      outputs: reported.map(({ at, value }) => ({ value, buffer: VALUES, offset: at.offset })),
    },
    places: [...reported.map(({ at }) => at), ...drawn],
  };
}

/** Names of the inputs that a program reads, parameters aside. */
export function fixedInputs({ outputs }: ArrayProgram): string[] {
  const inputs = arraysBelow(outputs.map((o) => o.value)).filter((node) => node.op === "input" && !isMoved(node));
  return inputs.map(({ attributes }) => String(attributes));
}
