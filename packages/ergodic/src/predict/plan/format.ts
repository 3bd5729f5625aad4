/**
 * Reads a plan from a file, before anything else uses it. Every part must have the right type, and every value that a
 * part refers to must exist. Unknown keys are ignored. The result is a new object. check.ts checks whether the plan is
 * consistent for a batch.
 *
 * @throws DataError
 */
import { DataError } from "../../engine/errors/errors.ts";
import {
  type ArrayPlan,
  PLAN_VERSION,
  type PlanArgument,
  type PlanCall,
  type PlanCount,
  type PlanNumber,
  type PlanProgram,
  type PlanScan,
  type PlanStep,
  type PlanValue,
} from "../../engine/memory/array-plan.ts";
import type { ElementwiseAccess, ElementwiseReduction } from "../../engine/memory/elementwise.ts";

/** Maximum depth of nested scans, and maximum number of dimensions in which a call is repeated. */
const DEEPEST = 16;

type Fields = Readonly<Record<string, unknown>>;

export const damaged = (where: string, what: string): DataError =>
  new DataError(where, `the plan ${what}; the file is damaged, export it again`, "MODEL_FORMAT");

export function readPlan(given: unknown, where: string): ArrayPlan {
  if (typeof given !== "object" || given === null) throw damaged(where, `is ${shown(given)}, not an object`);
  const { version, precision } = given as Fields;
  if (typeof version === "number" && version > PLAN_VERSION) {
    const message = `has a plan of version ${version}, but this library reads up to ${PLAN_VERSION}; update ergodic`;
    throw new DataError(where, message, "MODEL_VERSION");
  }
  if (!isWhole(version) || version < 1 || (precision !== "f32" && precision !== "f64")) {
    const message = `holds a plan of version ${shown(version)} and precision ${shown(precision)}; the file is damaged, export it again`;
    throw new DataError(where, message, "MODEL_FORMAT");
  }
  return { version, precision, ...new Reader(where).program(given, 0) };
}

const isWhole = (x: unknown): x is number => Number.isSafeInteger(x);

/** Shows numbers as they are, strings shortened, and anything else by its type, because a file can contain anything. */
const shown = (x: unknown): string =>
  typeof x === "number" || x === null ? String(x) : typeof x === "string" ? JSON.stringify(x.slice(0, 40)) : typeof x;

class Reader {
  readonly #where: string;
  /** Number of values in the program that is being read. */
  #valueCount = 0;

  constructor(where: string) {
    this.#where = where;
  }

  program(given: unknown, depth: number): PlanProgram {
    if (depth > DEEPEST) throw this.#damaged(`has scans within scans, more than ${DEEPEST} deep`);
    const { values, steps } = this.#fields(given, "a program");
    const read = this.#list(values, "values", (value) => this.#value(value));
    const before = this.#valueCount;
    this.#valueCount = read.length;
    const made = { values: read, steps: this.#list(steps, "steps", (step) => this.#step(step, depth)) };
    this.#valueCount = before;
    return made;
  }

  #value(given: unknown): PlanValue {
    const { size, home } = this.#fields(given, "a value");
    const { kind, name, offset } = this.#fields(home, "a value's home");
    if (kind === "workspace") return { size: this.#count(size), home: { kind } };
    if (kind === "constant") return { size: this.#whole(size, "a constant's size"), home: { kind, name: this.#text(name) } };
    if (kind !== "buffer") throw this.#damaged(`has a value at an unknown place, ${shown(kind)}`);
    return { size: this.#count(size), home: { kind, name: this.#text(name), offset: this.#count(offset) } };
  }

  #step(given: unknown, depth: number): PlanStep<PlanCount> {
    const step = this.#fields(given, "a step");
    if (step.kind === "zero") return { kind: "zero", value: this.#valueOf(step.value) };
    if (step.kind === "kernel")
      return {
        kind: "kernel",
        calls: this.#list(step.calls, "calls", (call) => this.#call(call)),
        result: this.#valueOf(step.result),
      };
    if (step.kind === "loop") return this.#loop(step);
    if (step.kind === "scan") return this.#scan(step, depth);
    throw this.#damaged(`has a step of unknown kind ${shown(step.kind)}`);
  }

  #call(given: unknown): PlanCall<PlanCount> {
    const { kernel, args, repeat } = this.#fields(given, "a call");
    const repeats = this.#list(repeat, "repeat", (one) => {
      const { count, steps } = this.#fields(one, "a repetition");
      return { count: this.#count(count), steps: this.#counts(steps, "steps of a repetition") };
    });
    if (repeats.length > DEEPEST) throw this.#damaged(`repeats a call in ${repeats.length} ways, more than ${DEEPEST}`);
    return { kernel: this.#text(kernel), args: this.#list(args, "arguments", (arg) => this.#argument(arg)), repeat: repeats };
  }

  #argument(given: unknown): PlanArgument<PlanCount> {
    const { kind, value, offset, bytes, values } = this.#fields(given, "an argument");
    if (kind === "number") return { kind, value: this.#count(value) };
    if (kind === "float") return { kind, value: this.#number(value) };
    if (kind === "value") return { kind, value: this.#valueOf(value), offset: this.#count(offset) };
    if (kind === "scratch") return { kind, bytes: this.#count(bytes) };
    if (kind === "indices") return { kind, values: this.#counts(values, "indices") };
    if (kind === "numbers") return { kind, values: this.#list(values, "numbers", (x) => this.#number(x)) };
    throw this.#damaged(`has an argument of unknown kind ${shown(kind)}`);
  }

  #loop(step: Fields): PlanStep<PlanCount> {
    return {
      kind: "loop",
      shape: this.#counts(step.shape, "a shape"),
      loads: this.#list(step.loads, "loads", (load) => this.#access(load)),
      constants: this.#list(step.constants, "constants", (x) => this.#number(x)),
      operations: this.#list(step.operations, "operations", (operation) => {
        const [name, ...args] = this.#list(operation, "an operation", (part) => part);
        return [this.#text(name), ...args.map((arg) => this.#register(arg))] as const;
      }),
      stores: this.#list(step.stores, "stores", (store) => {
        const { to, from } = this.#fields(store, "a store");
        return { to: this.#access(to), from: this.#register(from) };
      }),
      reductions: this.#list(step.reductions, "reductions", (reduction) => {
        const { kind, to, size, from } = this.#fields(reduction, "a reduction");
        if (kind !== "sum" && kind !== "maximum" && kind !== "minimum") throw this.#damaged(`reduces by ${shown(kind)}`);
        return { kind: kind as ElementwiseReduction, to: this.#access(to), size: this.#count(size), from: this.#register(from) };
      }),
    };
  }

  #access(given: unknown): ElementwiseAccess<PlanCount> {
    const { value, offset, strides } = this.#fields(given, "an access");
    return { value: this.#valueOf(value), offset: this.#count(offset), strides: this.#counts(strides, "strides") };
  }

  #scan(step: Fields, depth: number): PlanScan<PlanCount> {
    const all = (name: string): number[] => this.#list(step[name], name, (value) => this.#valueOf(value));
    if (typeof step.reverse !== "boolean") throw this.#damaged(`has ${shown(step.reverse)} instead of a flag for reverse`);
    return {
      kind: "scan",
      length: this.#count(step.length),
      reverse: step.reverse,
      body: this.program(step.body, depth + 1),
      carries: all("carries"),
      over: all("over"),
      constants: all("constants"),
      current: all("current"),
      next: all("next"),
      outputs: all("outputs"),
      histories: this.#list(step.histories, "histories", (value) => (value === null ? null : this.#valueOf(value))),
    };
  }

  #fields(given: unknown, what: string): Fields {
    if (typeof given !== "object" || given === null || Array.isArray(given))
      throw this.#damaged(`has ${shown(given)} instead of ${what}`);
    return given as Fields;
  }

  #list<T>(given: unknown, what: string, read: (item: unknown) => T): T[] {
    if (!Array.isArray(given)) throw this.#damaged(`has ${shown(given)} instead of ${what}`);
    return Array.from(given, read);
  }

  #text(given: unknown): string {
    if (typeof given !== "string") throw this.#damaged(`has ${shown(given)} instead of a name`);
    return given;
  }

  #number(given: unknown): PlanNumber {
    const isNumber = typeof given === "string" && given.trim() !== "" && (given === "NaN" || !Number.isNaN(Number(given)));
    if (!isNumber) throw this.#damaged(`has ${shown(given)} instead of a number`);
    return given;
  }

  #whole(given: unknown, what: string): number {
    if (!isWhole(given)) throw this.#damaged(`has ${shown(given)} instead of ${what}`);
    return given;
  }

  #count(given: unknown): PlanCount {
    if (isWhole(given)) return given;
    const { B, plus } = this.#fields(given, "a count");
    return { B: this.#whole(B, "a count per row"), plus: this.#whole(plus, "a count") };
  }

  #counts(given: unknown, what: string): PlanCount[] {
    return this.#list(given, what, (count) => this.#count(count));
  }

  #valueOf(given: unknown): number {
    if (!isWhole(given) || given < 0 || given >= this.#valueCount)
      throw this.#damaged(`names value ${shown(given)}, but its values are 0 to ${this.#valueCount - 1}`);
    return given;
  }

  /** Whether the operand exists is checked when registers are allocated (memory/elementwise.ts). */
  #register(given: unknown): number {
    if (!isWhole(given) || given < 0) throw this.#damaged(`names the invalid operand ${shown(given)}`);
    return given;
  }

  #damaged(what: string): DataError {
    return damaged(this.#where, what);
  }
}
