/**
 * Encodes a lowered program as functions of its block. Each loop step has a function, and another function runs all
 * steps in order and calls kernels. The module imports these kernels. The body of a scan is a nested program with its
 * own block inside.
 */
import { assert } from "../../../errors/errors.ts";
import {
  type EncodedFunction,
  float64Bytes,
  type ImportedFunction,
  signed,
  unsigned,
  type WasmType,
} from "../../machine/encoder.ts";
import { FunctionCode } from "../../machine/graph.ts";
import type { FunctionTable } from "../../machine/instructions.ts";
import type { Access, KernelStep, Lowered, ScanStep, Step } from "../lowered.ts";
import { type BlockPlan, KEY_HIGH, KEY_LOW, UPDATE } from "../memory.ts";
import type { CallArgument, KernelCall } from "../primitive.ts";
import { encodeLoop, type Home, homeOf } from "./loop.ts";

const FILL = [0xfc, 0x0b, 0x00];
const COPY = [0xfc, 0x0a, 0x00, 0x00];
const ALIGN = 64;
/** Largest number of bytes that are copied one number at a time. */
const FEW_BYTES = 64;

export interface StepsContext {
  readonly precision: "f32" | "f64";
  readonly functions: FunctionTable;
  /** Returns the index of a kernel's function, by its full name. */
  kernel(name: string): number;
}

/** Returns the kernels that the steps and the bodies of scans call. Each kernel is listed once. */
export function kernelsOf(lowered: Lowered, precision: "f32" | "f64"): ImportedFunction[] {
  const known = new Map<string, ImportedFunction>();
  const look = ({ steps }: Lowered): void => {
    for (const step of steps) {
      if (step.kind === "scan") look(step.body);
      if (step.kind !== "kernel") continue;
      for (const call of step.calls) {
        const name = wholeName(call, precision);
        if (!known.has(name)) known.set(name, { name, ...signatureOf(call) });
      }
    }
  };
  look(lowered);
  return [...known.values()];
}

const wholeName = ({ kernel }: KernelCall, precision: "f32" | "f64"): string => `${kernel}${precision === "f64" ? "F64" : "F32"}`;

function signatureOf({ args, returns }: KernelCall): { parameters: WasmType[]; results: WasmType[] } {
  const parameters = args.map(
    (arg): WasmType => ((arg.kind === "number" && arg.float) || (arg.kind === "field" && arg.name === "update") ? "f64" : "i32"),
  );
  return { parameters, results: returns ? [returns] : [] };
}

/**
 * Largest number of steps in one function. Longer programs are split into several functions, because engines limit
 * function bodies to about 7 MB.
 */
const MOST_STEPS = 4096;

const isParted = ({ steps }: Lowered): boolean => steps.length > MOST_STEPS;

/** Returns the number of functions that encodeSteps makes. The indices of shared functions follow. */
export function functionCount(lowered: Lowered): number {
  const own = isParted(lowered) ? 1 + Math.ceil(lowered.steps.length / MOST_STEPS) : 1;
  return lowered.steps.reduce(
    (sum, step) => sum + (step.kind === "loop" ? 1 : step.kind === "scan" ? functionCount(step.body) : 0),
    own,
  );
}

/** Encodes functions with indices from `first` onwards. The last function runs the whole program. */
export function encodeSteps(lowered: Lowered, plan: BlockPlan, context: StepsContext, first: number): EncodedFunction[] {
  const made: EncodedFunction[] = [];
  const run = new RunCode(lowered, plan, context);
  const parts: number[] = [];
  const endPart = (): void => {
    parts.push(first + made.push(run.takePart()) - 1);
  };
  for (const [i, step] of lowered.steps.entries()) {
    if (i > 0 && i % MOST_STEPS === 0) endPart();
    if (step.kind === "loop") {
      made.push(encodeLoop(step, { precision: context.precision, functions: context.functions, home: run.home }));
      run.callOwn(first + made.length - 1);
    } else if (step.kind === "scan") {
      const { plan: own, at } = plan.bodies.get(step)!;
      made.push(...encodeSteps(step.body, own, context, first + made.length));
      run.scan(step, own, at, first + made.length - 1);
    } else run.step(step);
  }
  if (isParted(lowered)) endPart();
  for (const part of parts) run.callOwn(part);
  made.push(run.takePart());
  return made;
}

class RunCode {
  readonly #lowered: Lowered;
  readonly #plan: BlockPlan;
  readonly #context: StepsContext;
  #f = new FunctionCode(["i32"]);
  readonly #bytes: number;
  #constants = 0;

  constructor(lowered: Lowered, plan: BlockPlan, context: StepsContext) {
    this.#lowered = lowered;
    this.#plan = plan;
    this.#context = context;
    this.#bytes = context.precision === "f64" ? 8 : 4;
  }

  /** Returns a function of the block with the code written since the previous call. */
  takePart(): EncodedFunction {
    const { locals, code } = this.#f;
    this.#f = new FunctionCode(["i32"]);
    return { parameters: ["i32"], results: [], locals, code, exportAs: [] };
  }

  home = (value: number): Home => homeOf(this.#lowered.values[value], this.#plan.places[value], this.#plan.pointers);

  callOwn(index: number): void {
    this.#f.get(0);
    this.#f.push(0x10, ...unsigned(index));
  }

  step(step: Exclude<Step, { kind: "loop" } | { kind: "scan" }>): void {
    if (step.kind === "kernel") for (const call of step.calls) this.#kernel(step, call);
    else {
      this.#address(step.value);
      this.#integer(0);
      this.#integer(this.#size(step.value));
      this.#f.push(...FILL);
    }
  }

  #size(value: number): number {
    return this.#lowered.values[value].size * this.#bytes;
  }

  #integer(x: number): void {
    this.#f.push(0x41, ...signed(x));
  }

  /** Pushes the address of a value plus an offset, given in `elements`. */
  #address(value: number, elements = 0): void {
    const home = this.home(value);
    this.#f.get(0);
    if (home.kind === "buffer") this.#f.push(0x28, 0, ...unsigned(home.pointer));
    const more = (home.kind === "buffer" ? home.offset * this.#bytes : home.at) + elements * this.#bytes;
    if (more === 0) return;
    this.#integer(more);
    this.#f.push(0x6a);
  }

  #kernel(step: KernelStep, call: KernelCall): void {
    const { repeat = [] } = call;
    const offsets = this.#offsetsOf(call);
    if (repeat.length === 0) {
      for (const [i, arg] of call.args.entries()) this.#argument(arg, step, offsets[i]);
      this.#callKernel(call);
      return;
    }
    // Locals hold the arguments that advance, and each loop starts from its own copy of these locals.
    let current = call.args.map((arg, i) => {
      if (!repeat.some((r) => r.steps[i])) return undefined;
      this.#argument(arg, step, offsets[i]);
      const local = this.#f.newLocal("i32");
      this.#f.set(local);
      return local;
    });
    const nest = (depth: number): void => {
      if (depth === repeat.length) {
        for (const [i, arg] of call.args.entries()) {
          const local = current[i];
          if (local === undefined) this.#argument(arg, step, offsets[i]);
          else this.#f.get(local);
        }
        this.#callKernel(call);
        return;
      }
      const outer = current;
      current = outer.map((local) => local && this.#copied(local));
      const { count, steps } = repeat[depth];
      this.#times(count, () => {
        nest(depth + 1);
        steps.forEach((elements, i) => {
          const local = current[i];
          if (!elements || local === undefined) return;
          this.#f.get(local);
          this.#integer(elements * this.#bytes);
          this.#f.push(0x6a);
          this.#f.set(local);
        });
      });
      current = outer;
    };
    nest(0);
  }

  #copied(local: number): number {
    const made = this.#f.newLocal("i32");
    this.#f.get(local);
    this.#f.set(made);
    return made;
  }

  #times(count: number, body: () => void): void {
    const f = this.#f;
    const left = f.newLocal("i32");
    this.#integer(count);
    f.set(left);
    f.push(0x03, 0x40);
    body();
    f.get(left);
    f.push(0x41, 1, 0x6b, 0x22, ...unsigned(left), 0x0d, 0, 0x0b);
  }

  /** Returns the byte offsets of scratch and constants in the block, by argument. */
  #offsetsOf({ args }: KernelCall): number[] {
    let scratch = this.#plan.scratch;
    return args.map((arg) => {
      if (arg.kind === "constants") return this.#plan.constants[this.#constants++];
      if (arg.kind !== "scratch") return 0;
      const at = scratch;
      scratch += Math.ceil(arg.bytes / ALIGN) * ALIGN;
      return at;
    });
  }

  #argument(arg: CallArgument, step: KernelStep, offset: number): void {
    const f = this.#f;
    if (arg.kind === "number") {
      if (arg.float) f.push(0x44, ...float64Bytes(arg.value));
      else this.#integer(arg.value);
    } else if (arg.kind === "field") {
      f.get(0);
      if (arg.name === "update") f.push(0x2b, 0, ...unsigned(UPDATE));
      else f.push(0x28, 0, ...unsigned(arg.name === "keyLow" ? KEY_LOW : KEY_HIGH));
    } else if (arg.kind === "argument") this.#accessed(step.args[arg.index], arg.offset);
    else if (arg.kind === "result") this.#address(step.result, arg.offset);
    else {
      f.get(0);
      this.#integer(offset);
      f.push(0x6a);
    }
  }

  #accessed({ value, offset }: Access, more = 0): void {
    this.#address(value, offset + more);
  }

  #callKernel(call: KernelCall): void {
    const { kernel, precision } = this.#context;
    this.#f.push(0x10, ...unsigned(kernel(wholeName(call, precision))));
    if (call.returns) this.#f.push(0x1a);
  }

  /** Advances the body's buffers, calls the body, and overwrites the current carries with the next carries. */
  scan(step: ScanStep, own: BlockPlan, at: number, body: number): void {
    const f = this.#f;
    const { length, reverse, end, carries, over, constants, current, next, outputs, histories } = step;
    const pointed = (name: string, push: () => void): void => {
      const pointer = own.pointers[name];
      if (pointer === undefined) return;
      f.get(0);
      push();
      f.push(0x36, 0, ...unsigned(at + pointer));
    };
    const copy = (to: () => void, from: () => void, bytes: number): void => {
      if (bytes <= FEW_BYTES) {
        this.#copyFew(to, from, bytes);
        return;
      }
      to();
      from();
      this.#integer(bytes);
      f.push(...COPY);
    };
    const inBlock = (offset: number) => (): void => {
      f.get(0);
      this.#integer(offset);
      f.push(0x6a);
    };
    copy(inBlock(at), inBlock(0), 16);
    const whole = (value: number) => (): void => this.#address(value);
    for (const [i, value] of current.entries()) copy(whole(value), whole(carries[i]), this.#size(value));
    for (const [i, value] of current.entries()) pointed(`carry ${i}`, whole(value));
    for (const [i, value] of next.entries()) pointed(`next ${i}`, whole(value));
    for (const [i, value] of constants.entries()) pointed(`constant ${i}`, whole(value));
    const t = f.newLocal("i32");
    if (end === "counted" && reverse) {
      this.#whole(current[0]);
      f.push(0x41, 1, 0x6b);
    } else this.#integer(reverse ? length - 1 : 0);
    f.set(t);
    const element = (value: number, bytes: number) => (): void => {
      this.#address(value);
      f.get(t);
      this.#integer(bytes);
      f.push(0x6c, 0x6a);
    };
    if (end) f.push(0x02, 0x40);
    this.#times(length, () => {
      if (end) this.#leaveUnlessPositive(current[0]);
      if (end === "kept") {
        this.#whole(current[1]);
        f.set(t);
      }
      for (const [i, value] of over.entries()) pointed(`over ${i}`, element(value, this.#size(value) / length));
      for (const [i, value] of outputs.entries()) pointed(`output ${i}`, element(value, this.#outputStep(step, i)));
      for (const [i, value] of histories.entries()) {
        const bytes = this.#size(current[i]);
        if (value !== undefined) copy(element(value, bytes), whole(current[i]), bytes);
      }
      inBlock(at)();
      f.push(0x10, ...unsigned(body));
      for (const [i, value] of current.entries()) copy(whole(value), whole(next[i]), this.#size(value));
      f.get(t);
      this.#integer(reverse ? -1 : 1);
      f.push(0x6a);
      f.set(t);
    });
    if (end) f.push(0x0b);
  }

  /** Pushes the first number of a value as a float64. */
  #number(value: number): void {
    this.#address(value);
    if (this.#bytes === 8) this.#f.push(0x2b, 0, 0);
    else this.#f.push(0x2a, 0, 0, 0xbb);
  }

  /** Pushes the first number of a value as a 32-bit integer. */
  #whole(value: number): void {
    this.#number(value);
    this.#f.push(0xfc, 0x02);
  }

  /**
   * Branches out of the block around the enclosing loop if the value is not positive. NaN does not count as positive.
   */
  #leaveUnlessPositive(value: number): void {
    this.#number(value);
    this.#f.push(0x44, ...float64Bytes(0), 0x64, 0x45, 0x0d, 1);
  }

  /** Copies a few bytes without memory.copy, because its call would take longer than the copy. */
  #copyFew(to: () => void, from: () => void, bytes: number): void {
    for (let at = 0; at < bytes; ) {
      const width = bytes - at >= 8 ? 8 : 4;
      to();
      from();
      this.#f.push(
        ...(width === 8
          ? [0x29, 0, ...unsigned(at), 0x37, 0, ...unsigned(at)]
          : [0x28, 0, ...unsigned(at), 0x36, 0, ...unsigned(at)]),
      );
      at += width;
    }
  }

  /**
   * Returns the number of bytes by which an output advances per iteration. For an unused output, the number is 0,
   * because all iterations write to the same element of scratch memory.
   */
  #outputStep({ outputs, body, length }: ScanStep, i: number): number {
    const one = body.values.find(({ home }) => home.kind === "buffer" && home.name === `output ${i}`);
    assert(one, "the body of a scan writes its outputs");
    const whole = this.#lowered.values[outputs[i]].size;
    return whole === one.size * length ? one.size * this.#bytes : 0;
  }
}
