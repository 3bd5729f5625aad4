/**
 * Serialises an array program as data (memory/array-plan.ts) that is valid for every batch size. The program is
 * scheduled for two large prime batch sizes. A comparison of the two schedules shows how each number in the steps grows
 * with the batch size. No other size in a program is likely to be that large, so sizes are not confused with batch
 * sizes. A schedule for a million rows is also valid for one row.
 *
 * The rows of a batch must be the first axis of the arrays that the program reads and writes. Values of constants are
 * stored separately, by name.
 *
 * @throws CompileError if the steps depend on the batch in another way, or draw random numbers
 */
import { CompileError } from "../../errors/errors.ts";
import {
  type ArrayPlan,
  PLAN_VERSION,
  type PlanArgument,
  type PlanNumber,
  type PlanProgram,
  type PlanStep,
} from "../../memory/array-plan.ts";
import type { ElementwiseAccess } from "../../memory/elementwise.ts";
import { type Expr, nodesOf } from "../expression.ts";
import type { Access, ArrayProgram, KernelStep, LoopStep, Lowered, ScanStep, Step, Value } from "./lowered.ts";
import type { CallArgument } from "./primitive.ts";
import { schedule } from "./schedule-steps.ts";

/**
 * Batch sizes for which a program is scheduled. The scheduler treats arrays of such batches as large, but the resulting
 * steps are also valid for small arrays.
 */
export const BATCHES = [1_000_003, 1_000_033] as const;

export interface EncodedPlan {
  /** Plan as JSON. */
  readonly plan: ArrayPlan;
  /** Values of constants, by their names in the plan. */
  readonly constants: Readonly<Record<string, Float64Array>>;
}

/**
 * Encodes a plan. `program`: returns the program for a batch of this many rows, with the same inputs, outputs and steps
 * for every batch.
 */
export function encodePlan(program: (batch: number) => ArrayProgram): EncodedPlan {
  const [first, second] = BATCHES.map((batch) => {
    const made = program(batch);
    const encoder = new Encoder();
    const whole: ArrayPlan<number> = { version: PLAN_VERSION, precision: made.precision, ...encoder.program(schedule(made)) };
    return { whole, constants: encoder.constants };
  });
  const plan = joined(first.whole, second.whole, "plan") as ArrayPlan;
  checkRows(plan);
  for (const [name, values] of Object.entries(first.constants)) {
    const others = second.constants[name];
    if (values.length !== others.length || values.some((x, i) => !Object.is(x, others[i])))
      throw dependsOnBatch(name, `${values.length} numbers for one and ${others.length} for another, or different numbers`);
  }
  return { plan, constants: first.constants };
}

class Encoder {
  readonly constants: Record<string, Float64Array> = {};

  program({ values, steps }: Lowered): PlanProgram<number> {
    return { values: values.map((value) => this.#value(value)), steps: steps.map((step) => this.#step(step)) };
  }

  #value({ size, home }: Value): PlanProgram<number>["values"][number] {
    if (home.kind === "workspace") return { size, home: { kind: "workspace" } };
    if (home.kind === "buffer") return { size, home: { kind: "buffer", name: home.name, offset: home.offset } };
    const name = `constant ${Object.keys(this.constants).length}`;
    this.constants[name] = home.values;
    return { size, home: { kind: "constant", name } };
  }

  #step(step: Step): PlanStep<number> {
    if (step.kind === "loop") return loop(step);
    if (step.kind === "kernel") return kernel(step);
    if (step.kind === "zero") return { kind: "zero", value: step.value };
    return this.#scan(step);
  }

  #scan(step: ScanStep): PlanStep<number> {
    const { kind, length, reverse, end, carries, over, constants, current, next, outputs } = step;
    if (end) throw new CompileError("plan", "a saved network cannot contain ode(); write its steps with scan", "COMPILE_PLAN");
    const histories = step.histories.map((value) => value ?? null);
    return { kind, length, reverse, body: this.program(step.body), carries, over, constants, current, next, outputs, histories };
  }
}

/** Numbers the nodes in this order: loads, constants, operations. Operations follow their arguments. */
function loop({ shape, loads, stores, reductions }: LoopStep): PlanStep<number> {
  const nodes = nodesOf([...stores, ...reductions].map(({ expr }) => expr));
  const constants = nodes.filter(({ op }) => op === "constant");
  const made = nodes.filter(({ op }) => op !== "constant" && op !== "scalar");
  const numbers = new Map<Expr, number>([...constants, ...made].map((node, i) => [node, loads.length + i]));
  const numberOf = (node: Expr): number => (node.op === "scalar" ? Number(node.name) : numbers.get(node)!);
  return {
    kind: "loop",
    shape,
    loads: loads.map(access),
    constants: constants.map(({ value }) => number(value)),
    operations: made.map(({ op, args }) => [op, ...args.map(numberOf)] as const),
    stores: stores.map(({ to, expr }) => ({ to: access(to), from: numberOf(expr) })),
    reductions: reductions.map(({ reduction, to, expr }) => ({
      kind: reduction,
      to: access(to),
      size: shape.reduce((size, extent, axis) => (to.strides[axis] === 0 ? size : size * extent), 1),
      from: numberOf(expr),
    })),
  };
}

const access = ({ value, offset, strides }: Access): ElementwiseAccess => ({ value, offset, strides });

function kernel(step: KernelStep): PlanStep<number> {
  return {
    kind: "kernel",
    calls: step.calls.map(({ kernel: name, args, repeat = [] }) => ({
      kernel: name,
      args: args.map((arg) => argument(arg, step)),
      repeat: repeat.map(({ count, steps }) => ({ count, steps })),
    })),
    result: step.result,
  };
}

function argument(arg: CallArgument, { args, result, name }: KernelStep): PlanArgument<number> {
  if (arg.kind === "number")
    return arg.float ? { kind: "float", value: number(arg.value) } : { kind: "number", value: arg.value };
  if (arg.kind === "scratch") return { kind: "scratch", bytes: arg.bytes };
  if (arg.kind === "result") return { kind: "value", value: result, offset: arg.offset ?? 0 };
  if (arg.kind === "constants")
    return arg.type === "u32" ? { kind: "indices", values: arg.values } : { kind: "numbers", values: arg.values.map(number) };
  if (arg.kind === "argument")
    return { kind: "value", value: args[arg.index].value, offset: args[arg.index].offset + (arg.offset ?? 0) };
  throw new CompileError(
    "plan",
    `${name} draws random numbers, but a saved network must give the same answer each time; leave it out when the network predicts`,
    "COMPILE_PLAN",
  );
}

const number = (x: number): PlanNumber => (Object.is(x, -0) ? "-0" : String(x));

/** Checks that each row is computed independently of the others, because a batch can be any chunk of rows. */
function checkRows({ steps }: PlanProgram): void {
  for (const step of steps) {
    if (step.kind === "scan") {
      if (typeof step.length !== "number") throw dependsOnBatch("a scan", "it runs over them");
      checkRows(step.body);
    }
    if (step.kind !== "loop") continue;
    const isMixing = step.reductions.some(({ to }) =>
      step.shape.some((extent, axis) => typeof extent !== "number" && to.strides[axis] === 0),
    );
    if (isMixing) throw dependsOnBatch("a sum or an extreme", "it is taken over them");
  }
}

/**
 * Merges two values. Equal numbers stay numbers. Different numbers are replaced by a linear function of the batch size.
 */
function joined(a: unknown, b: unknown, where: string): unknown {
  if (typeof a === "number" && typeof b === "number") {
    if (a === b) return a;
    const slope = (b - a) / (BATCHES[1] - BATCHES[0]);
    const plus = a - slope * BATCHES[0];
    if (Number.isInteger(slope) && Number.isSafeInteger(plus)) return { B: slope, plus };
    throw dependsOnBatch(where, `${a} for one and ${b} for another`);
  }
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
    return a.map((item, i) => joined(item, b[i], `${where} ${i}`));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) {
    if (Object.is(a, b)) return a;
    throw dependsOnBatch(where, `${String(a)} for one and ${String(b)} for another`);
  }
  const keys = Object.keys(a);
  if (Array.isArray(a) || keys.join() !== Object.keys(b).join())
    throw dependsOnBatch(where, "different steps for different numbers");
  const entries = b as Record<string, unknown>;
  return Object.fromEntries(
    keys.map((key) => [key, joined((a as Record<string, unknown>)[key], entries[key], `${where} ${key}`)]),
  );
}

function dependsOnBatch(where: string, what: string): CompileError {
  return new CompileError(
    "plan",
    `${where} depends on the number of rows (${what}), so no plan fits every number of rows; keep the batch on the first axis, and store no numbers per row`,
    "COMPILE_PLAN",
  );
}
