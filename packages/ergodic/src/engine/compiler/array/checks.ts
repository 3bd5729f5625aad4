/** Checks a function and its options before anything is compiled. */
import { checkBoolean, checkChoice, checkNumbers, refuse } from "../../errors/checks.ts";
import { CompileError, checkKeys, OptionError } from "../../errors/errors.ts";
import { shown } from "../../errors/shown.ts";
import { userLine } from "./position.ts";
import { arraysBelow, isArray, type Shape, type SymbolicArray, shapeError, shapeText } from "./symbolic.ts";

export function checkShape(name: string, shape: unknown): Shape {
  if (Array.isArray(shape)) return shape;
  throw shapeError(`input "${name}"`, `its shape is ${String(shape)}, but must be a list of extents; write [${String(shape)}]`);
}

export function checkResult<T>(made: T): T {
  if (isArray(made)) return made;
  const parts = typeof made === "object" && made !== null ? Object.values(made) : [];
  if (parts.length > 0 && parts.every(isArray)) return made;
  const what =
    made instanceof Promise
      ? "a promise"
      : parts.length > 0
        ? "an object with something else"
        : made === null
          ? "null"
          : typeof made;
  throw new CompileError(
    "trace",
    `the function gave ${what}, but must give a symbolic array, or an object of them by name; write the number 3 as full(3)${userLine()}`,
    "COMPILE_OPERAND",
  );
}

/**
 * Throws an error if the outputs depend on an input that was not given. An unknown input belongs to another function,
 * or is a scan's placeholder that is used outside the scan.
 */
export function checkInputs(where: string, outputs: readonly SymbolicArray[], known: readonly string[]): void {
  const unknown = arraysBelow(outputs).find((node) => node.op === "input" && !known.includes(String(node.attributes)));
  if (!unknown) return;
  const name = String(unknown.attributes);
  throw new CompileError(
    where,
    name.startsWith("scan leaf")
      ? `an array of a scan's body, ${shapeText(unknown.shape)}, is used outside of it; give it as one of the body's outputs${userLine()}`
      : `the input "${name}" ${shapeText(unknown.shape)} is used, but not given (there are: ${known.join(", ")}); add it to the shapes${userLine()}`,
    "COMPILE_INPUT",
  );
}

const knownOptions = ["precision", "gradient", "deterministic", "key", "name"];

export function checkOptions(where: string, options: object): void {
  checkKeys(where, options, knownOptions);
  const given: Readonly<Record<string, unknown>> = { ...options };
  const { precision = "f64", gradient = [], deterministic = false, key = [0, 0], name = "" } = given;
  checkBoolean(where, "deterministic", deterministic);
  checkNumbers(where, "key", key, {}, "key: [1, 2]");
  if (key.length !== 2) refuse(where, "key", key, "two numbers", "key: [1, 2]");
  if (typeof name !== "string") refuse(where, "name", name, "a string", 'name: "loss"');
  checkChoice(where, "precision", precision, ["f64", "f32"]);
  if (!Array.isArray(gradient)) {
    const example = typeof gradient === "string" ? `[${shown(gradient)}]` : '["x"]';
    throw new OptionError(where, `gradient is ${shown(gradient)}, but must be a list of inputs; write ${example}`, "OPTION_TYPE");
  }
}
