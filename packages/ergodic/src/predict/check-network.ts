import type { JsonObject, SavedModel } from "../engine/contract/index.ts";
import { checkFinite, checkModel, isObject, shownJson } from "./check-model.ts";
import type { NetworkPlan } from "./plan/index.ts";

/**
 * Checks a network's description, except for its plan. The plan is checked when it is prepared (plan/network-plan.ts).
 */
export function checkNetwork({ description, tensors }: SavedModel, columnCount: number, where: string): void {
  const { program, rowShape } = description;
  checkModel(where, isObject(program) && Array.isArray(program.values) && Array.isArray(program.steps), "has no plan");
  const isShape = Array.isArray(rowShape) && rowShape.every((size) => Number.isSafeInteger(size) && (size as number) > 0);
  checkModel(where, isShape, `has rowShape ${shownJson(rowShape)}, but a list of whole numbers is wanted`);
  const cells = (rowShape as number[]).reduce((product, size) => product * size, 1);
  checkModel(where, cells === columnCount, `has rows of ${cells} numbers, but its pipeline makes ${columnCount} columns`);
  checkParameters(where, description, tensors);
}

/** Checks that all parameters are finite. The constants of a plan do not have to be finite. */
export function checkParameters(where: string, { shapes }: JsonObject, tensors: SavedModel["tensors"]): void {
  checkModel(where, shapes === undefined || isObject(shapes), "has invalid shapes");
  for (const [name, values] of Object.entries(tensors)) {
    const isFloat = values instanceof Float32Array || values instanceof Float64Array;
    checkModel(where, isFloat, `has no floats in "${name}"`);
    const shape = shapes && Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (shape === undefined) continue;
    const count = Array.isArray(shape) ? shape.reduce<number>((product, size) => product * Number(size), 1) : Number.NaN;
    if (count !== values.length)
      checkModel(where, false, `has ${values.length} numbers in "${name}" of shape ${shownJson(shape)}`);
    checkFinite(where, name, values);
  }
}

/** Checks that the plan has only one input, the rows x, and only one output, z for these rows. */
export function checkPlan(plan: NetworkPlan, columnCount: number, outputs: number, where: string): void {
  const { inputs, outputs: written } = plan;
  const takesRows = inputs.every((name) => name === "x" && plan.rowSize(name) === columnCount);
  const givesOutputs = written.join() === "z" && plan.isOfRows("z") && plan.rowSize("z") === outputs;
  if (takesRows && givesOutputs) return;
  plan.dispose();
  const given = written.map((name) => `"${name}" of ${plan.rowSize(name)} numbers`).join(", ");
  const message = `takes ${inputs.join(", ") || "nothing"} and gives ${given || "nothing"}, but must take x of ${columnCount} numbers per row and give z of ${outputs}`;
  checkModel(where, false, message);
}
