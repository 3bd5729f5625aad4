/**
 * A plan's program for one batch, in the engine's memory: its values have places, its steps are ready to be called. The body of a scan is a program of
 * its own. Runs on the calling thread.
 *
 * @throws DataError for a plan that does not fit together, or kernels that this library does not have
 */
import { DataError } from "../base/errors.ts";
import type { Arena } from "../host/arena.ts";
import type { PlanArgument, PlanCall, PlanLoop, PlanProgram, PlanScan } from "../host/array-plan.ts";
import { elementwiseCode } from "../host/elementwise.ts";
import type { Engine } from "../host/engine.ts";
import { checkProgram, damaged } from "./plan-check.ts";
import { aligned, placesOf } from "./plan-memory.ts";

type Kernel = (...args: number[]) => number;

export interface PlanContext {
  readonly engine: Engine;
  /** Holds the program's memory. */
  readonly arena: Arena;
  readonly precision: "f32" | "f64";
  readonly deterministic: boolean;
  /** The file, for errors. */
  readonly where: string;
  /** Addresses of constants by name. */
  readonly constants: ReadonlyMap<string, number>;
  /** One piece for all kernels, as large as any wants: its address is known once all programs are made. */
  readonly scratch: { bytes: number; address: number };
}

export class ReadyProgram {
  readonly #context: PlanContext;
  readonly #program: PlanProgram<number>;
  readonly #elementBytes: 4 | 8;
  readonly #addresses: number[];
  /** u32[values] in memory: the addresses, for loops. */
  readonly #table: number;
  readonly #run: readonly (() => void)[];

  constructor(program: PlanProgram<number>, context: PlanContext) {
    this.#context = context;
    this.#program = program;
    this.#elementBytes = context.precision === "f64" ? 8 : 4;
    checkProgram(program, context.where);
    const { at, bytes } = placesOf(program, this.#elementBytes);
    const workspace = context.arena.take(bytes);
    this.#addresses = program.values.map(({ home }, i) => {
      if (home.kind === "workspace") return workspace + (at.get(i) ?? 0);
      if (home.kind === "buffer") return 0;
      const constant = context.constants.get(home.name);
      if (constant === undefined) throw damaged(context.where, `wants the numbers "${home.name}", which are not there`);
      return constant;
    });
    this.#table = context.arena.take(4 * program.values.length);
    context.engine.memory.u32(this.#table, program.values.length).set(this.#addresses);
    this.#run = program.steps.map((step) => {
      if (step.kind === "loop") return this.#loop(step);
      if (step.kind === "zero") return this.#zero(step.value);
      if (step.kind === "scan") return this.#scan(step);
      const calls = step.calls.map((call) => this.#call(call));
      return () => {
        for (const call of calls) call();
      };
    });
  }

  run(): void {
    for (const step of this.#run) step();
  }

  /** Says where a buffer begins. */
  point(buffer: string, address: number): void {
    this.#pointer(buffer)(address);
  }

  #pointer(buffer: string): (address: number) => void {
    const own = this.#program.values.flatMap(({ home }, value) =>
      home.kind === "buffer" && home.name === buffer ? [{ value, by: home.offset * this.#elementBytes }] : [],
    );
    return (address) => {
      for (const { value, by } of own) {
        this.#addresses[value] = address + by;
        this.#context.engine.memory.u32(this.#table + 4 * value, 1)[0] = address + by;
      }
    };
  }

  #kernel(name: string): Kernel {
    return this.#context.engine.kernel(name, this.#context.deterministic);
  }

  #typed(name: string): Kernel {
    try {
      return this.#kernel(`${name}${this.#context.precision.toUpperCase()}`);
    } catch (cause) {
      const message = `uses the kernel "${name}", which this library does not have; update ergodic`;
      throw new DataError(this.#context.where, message, "MODEL_VERSION", { cause });
    }
  }

  #want(bytes: number): void {
    this.#context.scratch.bytes = Math.max(this.#context.scratch.bytes, bytes);
  }

  #loop(step: PlanLoop<number>): () => void {
    const { arena, engine, scratch, where } = this.#context;
    const { words, scratchBytes } = elementwiseCode(
      { ...step, constants: step.constants.map(Number) },
      this.#elementBytes,
      where,
    );
    const code = arena.take(words.byteLength);
    engine.memory.u32(code, words.length).set(words);
    this.#want(scratchBytes);
    const kernel = this.#typed("elementwise");
    return () => void kernel(code, this.#table, scratch.address);
  }

  #zero(value: number): () => void {
    const zero = this.#kernel("zero");
    const bytes = this.#program.values[value].size * this.#elementBytes;
    return () => void zero(this.#addresses[value], bytes);
  }

  #call({ kernel: name, args, repeat }: PlanCall<number>): () => void {
    const kernel = this.#typed(name);
    let scratchBytes = 0;
    const read = args.map((arg) => {
      const at = scratchBytes;
      if (arg.kind === "scratch") scratchBytes += aligned(arg.bytes);
      return this.#argument(arg, at);
    });
    this.#want(scratchBytes);
    const steps = repeat.map((r) => r.steps.map((elements) => elements * this.#elementBytes));
    const nest = (depth: number, given: number[]): void => {
      if (depth === repeat.length) {
        kernel(...given);
        return;
      }
      const moved = [...given];
      for (let i = 0; i < repeat[depth].count; i++) {
        nest(depth + 1, moved);
        for (const [k, bytes] of steps[depth].entries()) moved[k] += bytes;
      }
    };
    return () =>
      nest(
        0,
        read.map((argument) => argument()),
      );
  }

  #argument(arg: PlanArgument<number>, scratchAt: number): () => number {
    const { scratch, arena, engine } = this.#context;
    if (arg.kind === "number" || arg.kind === "float") {
      const value = Number(arg.value);
      return () => value;
    }
    if (arg.kind === "scratch") return () => scratch.address + scratchAt;
    if (arg.kind === "value") {
      const by = arg.offset * this.#elementBytes;
      return () => this.#addresses[arg.value] + by;
    }
    const isNumbers = arg.kind === "numbers";
    const numbers = Array.from<number | string, number>(arg.values, Number);
    const at = arena.take(numbers.length * (isNumbers ? this.#elementBytes : 4));
    engine.memory[isNumbers ? this.#context.precision : "u32"](at, numbers.length).set(numbers);
    return () => at;
  }

  /** Moves buffers of the body along, runs it, and takes the next carries over. */
  #scan(step: PlanScan<number>): () => void {
    const { length, reverse, carries, over, constants, current, next, outputs, histories } = step;
    const body = new ReadyProgram(step.body, this.#context);
    const copy = this.#kernel("copy");
    const bytesOf = (value: number): number => this.#program.values[value].size * this.#elementBytes;
    const pointed = (kind: string, values: readonly number[]): ((t: number, bytes: (i: number) => number) => void) => {
      const pointers = values.map((_, i) => body.#pointer(`${kind} ${i}`));
      return (t, bytes) => {
        for (const [i, value] of values.entries()) pointers[i](this.#addresses[value] + t * bytes(i));
      };
    };
    const [carryAt, nextAt, constantAt] = [pointed("carry", current), pointed("next", next), pointed("constant", constants)];
    const [overAt, outputAt] = [pointed("over", over), pointed("output", outputs)];
    const whole = outputs.map((value, i) => {
      const one = step.body.values.find(({ home }) => home.kind === "buffer" && home.name === `output ${i}`);
      // An output that nobody takes is scratch of one element.
      return one && this.#program.values[value].size === one.size * length ? one.size * this.#elementBytes : 0;
    });
    return () => {
      for (const [i, value] of current.entries()) copy(this.#addresses[value], this.#addresses[carries[i]], bytesOf(value));
      for (const point of [carryAt, nextAt, constantAt]) point(0, () => 0);
      for (let i = 0; i < length; i++) {
        const t = reverse ? length - 1 - i : i;
        overAt(t, (k) => bytesOf(over[k]) / length);
        outputAt(t, (k) => whole[k]);
        for (const [k, value] of histories.entries()) {
          const bytes = bytesOf(current[k]);
          if (value !== null) copy(this.#addresses[value] + t * bytes, this.#addresses[current[k]], bytes);
        }
        body.run();
        for (const [k, value] of current.entries()) copy(this.#addresses[value], this.#addresses[next[k]], bytesOf(value));
      }
    };
  }
}
