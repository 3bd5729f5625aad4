import { CompileError } from "../../errors/errors.ts";
import { fillUniform } from "./operations/random.ts";
import { arrayPrimitiveOf, type Surroundings } from "./primitive.ts";
import { arraysBelow, type SymbolicArray, shapeText } from "./symbolic.ts";

/** Options of `interpret`. */
export interface InterpretOptions {
  /** Key from which random primitives draw. Default [0, 0]. */
  readonly key?: readonly [number, number];
  /** Index of the update. The index selects the draws of random primitives. Default 0. */
  readonly update?: number;
}

/**
 * Returns the values of the outputs, row-major, from inputs by name.
 *
 * This interpreter is the reference for compiled array programs. The interpreter computes in float64, one node at a
 * time, with the plain loops in each primitive's `evaluate`.
 *
 * @throws CompileError if an input is missing or has another size
 */
export function interpret(
  outputs: readonly SymbolicArray[],
  inputs: Readonly<Record<string, ArrayLike<number> | number>>,
  options: InterpretOptions = {},
): Float64Array[] {
  return run(outputs, new Map(), inputs, options);
}

function run(
  outputs: readonly SymbolicArray[],
  given: ReadonlyMap<SymbolicArray, Float64Array>,
  inputs: Readonly<Record<string, ArrayLike<number> | number>>,
  options: InterpretOptions,
): Float64Array[] {
  const values = new Map<SymbolicArray, Float64Array>(given);
  const around: Surroundings = {
    input: (name) => valuesOf(name, inputs),
    uniform: (stream, count) => fillUniform(count, options.key ?? [0, 0], options.update ?? 0, stream),
    run: (results, own) => run(results, own, inputs, options),
  };
  for (const node of arraysBelow(outputs)) {
    if (values.has(node)) continue;
    if (node.op === "input") values.set(node, read(node, inputs));
    else {
      const args = node.args.map((a) => values.get(a)!);
      values.set(node, arrayPrimitiveOf(node).evaluate(node, args, around));
    }
  }
  return outputs.map((output) => Float64Array.from(values.get(output)!));
}

function valuesOf(name: string, inputs: Readonly<Record<string, ArrayLike<number> | number>>): ArrayLike<number> {
  if (!Object.hasOwn(inputs, name))
    throw new CompileError(
      "interpret",
      `the input "${name}" is used but not given (given: ${Object.keys(inputs).join(", ") || "none"}); add it`,
      "COMPILE_INPUT",
    );
  const value = inputs[name];
  return typeof value === "number" ? [value] : value;
}

function read(node: SymbolicArray, inputs: Readonly<Record<string, ArrayLike<number> | number>>): Float64Array {
  const name = String(node.attributes);
  const value = valuesOf(name, inputs);
  if (value.length !== node.size)
    throw new CompileError(
      "interpret",
      `the input "${name}" has ${value.length} numbers, but shape ${shapeText(node.shape)} needs ${node.size}`,
      "COMPILE_LENGTH",
    );
  return Float64Array.from(value);
}
