import { checkFunction, refuse } from "../../errors/checks.ts";
import { CompileError } from "../../errors/errors.ts";
import { Arena } from "../../memory/arena.ts";
import { type Engine, openEngine } from "../../memory/engine.ts";
import { own } from "../../memory/memory.ts";
import { checkInputs, checkOptions, checkResult, checkShape } from "./checks.ts";
import { watchConditions } from "./conditions.ts";
import { gradientsOf } from "./derive.ts";
import { familiesOf } from "./kernel-families.ts";
import { input } from "./leaves.ts";
import { initialiseBlock, type LinkedArrays, linkArrays } from "./link.ts";
import type { ArrayProgram } from "./lowered.ts";
import { KEY_HIGH, KEY_LOW, UPDATE } from "./memory.ts";
import { userLine } from "./position.ts";
import { isArray, type Shape, type SymbolicArray, shapeText } from "./symbolic.ts";

/** Shapes of a function's inputs, by name: { w: [10], x: [100, 10] }. */
export type Shapes = Readonly<Record<string, Shape>>;
/** Symbolic arrays by the names of the inputs. */
export type Arrays<S extends Shapes> = { readonly [K in keyof S]: SymbolicArray };
export type Numbers = Float64Array | Float32Array;

/** Options of `compileFunction`. */
export interface FunctionOptions<S extends Shapes> {
  /** Type of arithmetic and memory; sums run in float64. Default "f64". */
  readonly precision?: "f32" | "f64";
  /**
   * Names of the inputs for which derivatives are computed. If any names are given, the function must have a single,
   * scalar result. Default: none.
   */
  readonly gradient?: readonly (keyof S & string)[];
  /** Whether results have the same bits on every host. Default false. */
  readonly deterministic?: boolean;
  /** Key of random operations, two u32. Default [0, 0]. */
  readonly key?: readonly [number, number];
  /** Name of the function in errors and listings. Default: the name of f. */
  readonly name?: string;
}

/** Result of one call of a compiled function; its arrays are copies. */
export interface FunctionResult {
  /** First number of the first result. */
  readonly value: number;
  /** Results by name; "value" if f returned one array. */
  readonly outputs: Readonly<Record<string, Float64Array>>;
  /** Derivatives by input name. */
  readonly gradient: Readonly<Record<string, Float64Array>>;
}

/** A compiled function: callable, with its inputs and results as views of memory. */
export interface CompiledFunction<S extends Shapes> {
  (inputs: { readonly [K in keyof S]: ArrayLike<number> | number }): FunctionResult;
  /**
   * Views of the inputs in the engine's memory. Read this property again after any allocation, because the memory may
   * have moved.
   */
  readonly inputs: { readonly [K in keyof S]: Numbers };
  /** Views of the results, by name. */
  readonly outputs: Readonly<Record<string, Numbers>>;
  /** Views of the derivatives, by input name. */
  readonly gradients: { readonly [K in keyof S]?: Numbers };
  /** Computes the outputs from the inputs. Random operations draw their numbers for the given `update`. */
  run(update?: number): void;
  /** Traced program. */
  readonly program: ArrayProgram;
  /** Compiled program in the engine. */
  readonly linked: LinkedArrays;
}

interface Views {
  readonly inputs: Record<string, Numbers>;
  readonly outputs: Record<string, Numbers>;
  readonly gradients: Record<string, Numbers>;
}

export type Traced = SymbolicArray | Readonly<Record<string, SymbolicArray>>;

/** Traces f and returns its inputs and outputs by name. */
export function traceFunction<S extends Shapes>(
  shapes: S,
  f: (inputs: Arrays<S>) => Traced,
): { inputs: Record<string, SymbolicArray>; outputs: Record<string, SymbolicArray> } {
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, checkShape(name, shape))]));
  const known = knownNames(inputs);
  const made = watchConditions(
    () => checkResult(f(known as Arrays<S>)),
    (traced) => (isArray(traced) ? [traced] : Object.values(traced)),
  );
  const outputs = isArray(made) ? { value: made } : { ...made };
  checkInputs("trace", Object.values(outputs), Object.keys(inputs));
  return { inputs, outputs };
}

/** Returns the inputs by name; reading an unknown name throws an error that lists the known names. */
function knownNames(inputs: Record<string, SymbolicArray>): Record<string, SymbolicArray> {
  return new Proxy(inputs, {
    get(target, name) {
      if (typeof name !== "string" || Object.hasOwn(target, name)) return target[name as string];
      throw new CompileError(
        "trace",
        `no input is named "${name}" (there are: ${Object.keys(target).join(", ")}); add it to the shapes${userLine()}`,
        "COMPILE_INPUT",
      );
    },
  });
}

export function programOf<S extends Shapes>(
  shapes: S,
  f: (inputs: Arrays<S>) => Traced,
  options: FunctionOptions<S> = {},
): ArrayProgram {
  checkOptions("compileFunction", options);
  if (typeof shapes !== "object" || shapes === null)
    refuse("compileFunction", "shapes", shapes, "shapes by name", "compileFunction({ x: [3] }, ({ x }) => …)");
  checkFunction("compileFunction", "what to compile", f, "a function", "compileFunction({ x: [3] }, ({ x }) => …)");
  const { precision = "f64", gradient = [], name = f.name || "function" } = options;
  const { inputs, outputs } = traceFunction(shapes, f);
  const results = Object.entries(outputs).map(([key, value]) => ({ value, buffer: `out ${key}`, offset: 0 }));
  for (const wrt of gradient)
    if (!inputs[wrt])
      throw new CompileError(
        name,
        `gradient names "${wrt}", but the inputs are ${Object.keys(inputs).join(", ")}; name one of them`,
        "COMPILE_INPUT",
      );
  const slopes =
    gradient.length > 0
      ? gradientsOf(
          results[0].value,
          gradient.map((wrt) => inputs[wrt]),
        )
      : [];
  return {
    name,
    precision,
    inputs: Object.fromEntries(Object.keys(inputs).map((key) => [key, { buffer: `in ${key}`, offset: 0 }])),
    outputs: [...results, ...slopes.map((value, i) => ({ value, buffer: `gradient ${gradient[i]}`, offset: 0 }))],
  };
}

/**
 * compileFunction(shapes, f): compiles a TypeScript function of symbolic arrays to one WebAssembly function, with its
 * gradient.
 *
 * f is traced once and returns one array, or several by name. Inputs and results are in the engine's memory. Write to
 * `inputs.w`, call `run()`, and then read `outputs.value` and `gradients.w`. Calling the function does all three and
 * copies the results.
 *
 * @throws CompileError for shapes that do not fit, control flow that depends on data, a symbol used as a number, or an
 * input that is missing;
 *   OptionError for unknown options
 *
 * @example
 * ```ts
 * const loss = await compileFunction(
 *   { w: [10], x: [100, 10], y: [100] },
 *   ({ w, x, y }) => mean(softplus(mul(neg(y), matmul(x, w)))),
 *   { gradient: ["w"] },
 * );
 * const { value, gradient } = loss({ w, x, y });
 * ```
 */
export async function compileFunction<const S extends Shapes>(
  shapes: S,
  f: (inputs: Arrays<S>) => Traced,
  options: FunctionOptions<S> = {},
): Promise<CompiledFunction<S>> {
  const program = programOf(shapes, f, options);
  const families = familiesOf(program.outputs.map(({ value }) => value));
  const engine = await openEngine({ deterministic: options.deterministic, families });
  const arena = new Arena(engine.memory, `function ${program.name}`);
  const linked = linkArrays(engine, program, arena, options.deterministic);
  return new Placed(engine, shapes, program, linked, arena, options.key).callable();
}

class Placed<S extends Shapes> {
  readonly #engine: Engine;
  readonly #shapes: S;
  readonly #program: ArrayProgram;
  readonly #linked: LinkedArrays;
  readonly #block: number;
  readonly #arena: Arena;
  readonly #places = new Map<string, { at: number; size: number }>();
  #buffer: ArrayBufferLike | undefined;
  #views: Views | undefined;
  #update = 0;

  constructor(
    engine: Engine,
    shapes: S,
    program: ArrayProgram,
    linked: LinkedArrays,
    arena: Arena,
    key: readonly [number, number] = [0, 0],
  ) {
    this.#engine = engine;
    this.#shapes = shapes;
    this.#program = program;
    this.#linked = linked;
    this.#arena = arena;
    this.#block = this.#arena.take(linked.plan.bytes);
    initialiseBlock(engine, linked.plan, this.#block);
    this.#arena.set(this.#block, KEY_LOW, key[0]);
    this.#arena.set(this.#block, KEY_HIGH, key[1]);
    for (const [name, shape] of Object.entries(shapes))
      this.#place(
        `in ${name}`,
        shape.reduce((a, b) => a * b, 1),
      );
    for (const { value, buffer } of program.outputs) this.#place(buffer, value.size);
  }

  #place(buffer: string, size: number): void {
    const at = this.#arena.take(size * (this.#program.precision === "f64" ? 8 : 4));
    this.#places.set(buffer, { at, size });
    const pointer = this.#linked.plan.pointers[buffer];
    if (pointer !== undefined) this.#arena.set(this.#block, pointer, at);
  }

  #viewsNow(): Views {
    const { memory } = this.#engine;
    if (this.#views && this.#buffer === memory.memory.buffer) return this.#views;
    const named = (prefix: string): Record<string, Numbers> => {
      const own = [...this.#places].filter(([name]) => name.startsWith(prefix));
      return Object.fromEntries(
        own.map(([name, { at, size }]) => [
          name.slice(prefix.length),
          this.#program.precision === "f64" ? memory.f64(at, size) : memory.f32(at, size),
        ]),
      );
    };
    this.#views = { inputs: named("in "), outputs: named("out "), gradients: named("gradient ") };
    this.#buffer = memory.memory.buffer;
    return this.#views;
  }

  #run(update = 0): void {
    if (update !== this.#update) this.#arena.setF64(this.#block, UPDATE, update);
    this.#update = update;
    this.#linked.run.call(this.#block);
  }

  #write(values: Readonly<Record<string, ArrayLike<number> | number>>): void {
    const views = this.#viewsNow().inputs;
    for (const name of Object.keys(this.#shapes)) {
      const given = values[name];
      if (given === undefined)
        throw new CompileError(
          this.#program.name,
          `the input "${name}" is missing; give ${shapeText(this.#shapes[name])} numbers`,
          "COMPILE_INPUT",
        );
      const numbers = typeof given === "number" ? [given] : given;
      if (numbers.length !== views[name].length)
        throw new CompileError(
          this.#program.name,
          `the input "${name}" has ${numbers.length} numbers, but shape ${shapeText(this.#shapes[name])} needs ${views[name].length}`,
          "COMPILE_LENGTH",
        );
      views[name].set(numbers);
    }
  }

  callable(): CompiledFunction<S> {
    const call = (inputs: Readonly<Record<string, ArrayLike<number> | number>>): FunctionResult => {
      this.#write(inputs);
      this.#run();
      const { outputs, gradients } = this.#viewsNow();
      const copied = (views: Record<string, Numbers>): Record<string, Float64Array> =>
        Object.fromEntries(Object.entries(views).map(([name, view]) => [name, Float64Array.from(view)]));
      const copies = copied(outputs);
      return { value: Object.values(copies)[0][0], outputs: copies, gradient: copied(gradients) };
    };
    const made = Object.assign(call, {
      run: (update?: number) => this.#run(update),
      program: this.#program,
      linked: this.#linked,
    });
    Object.defineProperties(made, {
      inputs: { get: () => this.#viewsNow().inputs },
      outputs: { get: () => this.#viewsNow().outputs },
      gradients: { get: () => this.#viewsNow().gradients },
    });
    // The arena is freed when `this` is garbage collected. Every part of the function, even `run` alone, refers to
    // `this`.
    this.#arena.ownedBy(this, own);
    return made as unknown as CompiledFunction<S>;
  }
}
