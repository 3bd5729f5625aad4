/**
 * A plan's program for one batch in a memory. The values of the program have addresses, and its steps can be called.
 * The body of a scan is a separate program. Runs on the calling thread. All parts of the program have already been
 * checked (check.ts).
 *
 * @throws DataError for operations that this library does not have
 */
import { assert } from "../../engine/errors/errors.ts";
import type { Arena } from "../../engine/memory/arena.ts";
import type { PlanArgument, PlanCall, PlanLoop, PlanProgram, PlanScan } from "../../engine/memory/array-plan.ts";
import type { Machine } from "../../engine/memory/engine.ts";
import { scanBuffers } from "./check.ts";
import { damaged } from "./format.ts";
import { touchedBy, writesNothing } from "./kernel-rules.ts";
import { loopCode } from "./loop-code.ts";
import { aligned, type Places } from "./value-places.ts";

type Kernel = (...args: number[]) => number;

export interface PlanContext {
  readonly engine: Machine;
  /** Memory of the program's code. */
  readonly arena: Arena;
  /** Workspaces of the program and its scans' programs, in the order of programsOf (value-places.ts). */
  readonly workspaces: Iterator<Workspace, undefined>;
  readonly precision: "f32" | "f64";
  readonly deterministic: boolean;
  /** Name of the file, for errors. */
  readonly where: string;
  /** Addresses of constants by name. */
  readonly constants: ReadonlyMap<string, number>;
  /**
   * One scratch area that all kernels share. This area is large enough for every kernel. Its address is known when all
   * programs have been prepared.
   */
  readonly scratch: { bytes: number; address: number };
}

/** Memory for the values of a program for some batch size. Smaller batches of the same plan fit in it. */
export interface Workspace {
  readonly address: number;
  readonly places: Places;
  /** Largest number of elements of each value. */
  readonly sizes: readonly number[];
}

export class ReadyProgram {
  readonly #context: PlanContext;
  readonly #program: PlanProgram<number>;
  readonly #elementBytes: 4 | 8;
  readonly #addresses: number[];
  /** u32[values] in memory: the addresses, for loops. */
  readonly #table: number;
  /** Values in each buffer, by the name of the buffer, with their offsets in bytes. */
  readonly #inBuffer = new Map<string, { value: number; by: number }[]>();
  readonly #run: readonly (() => void)[];

  constructor(program: PlanProgram<number>, context: PlanContext) {
    this.#context = context;
    this.#program = program;
    this.#elementBytes = context.precision === "f64" ? 8 : 4;
    const { address, places, sizes } = context.workspaces.next().value!;
    this.#addresses = program.values.map(({ size, home }, i) => {
      if (home.kind === "buffer") return 0;
      if (home.kind === "workspace") {
        if (size > sizes[i]) throw damaged(context.where, `has a value of ${size} numbers, and of ${sizes[i]} for more rows`);
        return address + (places.at.get(i) ?? 0);
      }
      const constant = context.constants.get(home.name);
      if (constant === undefined) throw damaged(context.where, `needs the numbers "${home.name}", which are missing`);
      return constant;
    });
    for (const [value, { home }] of program.values.entries()) {
      if (home.kind !== "buffer") continue;
      const others = this.#inBuffer.get(home.name) ?? [];
      this.#inBuffer.set(home.name, others);
      others.push({ value, by: home.offset * this.#elementBytes });
    }
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

  /** Sets the address of a buffer. */
  point(buffer: string, address: number): void {
    this.#pointer(buffer)(address);
  }

  #pointer(buffer: string): (address: number) => void {
    const own = this.#inBuffer.get(buffer) ?? [];
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
    return this.#kernel(`${name}${this.#context.precision.toUpperCase()}`);
  }

  #want(bytes: number): void {
    this.#context.scratch.bytes = Math.max(this.#context.scratch.bytes, bytes);
  }

  #loop(step: PlanLoop<number>): () => void {
    const { arena, engine, scratch, where } = this.#context;
    const { words, scratchBytes } = loopCode(step, this.#elementBytes, where);
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

  #call(call: PlanCall<number>): () => void {
    const { kernel: name, args, repeat } = call;
    const kernel = this.#typed(name);
    const { where } = this.#context;
    if (writesNothing(call, this.#elementBytes, where)) return () => {};
    // Use the scratch size that the kernel needs, not the size in the file.
    this.#want(aligned(touchedBy(call, this.#elementBytes, where).scratchBytes));
    const read = args.map((arg) => this.#argument(arg));
    const steps = repeat.map((r) => r.steps.map((elements) => elements * this.#elementBytes));
    // One reused list of arguments per depth, so that a call allocates nothing. Only addresses are read again, because
    // they can change.
    const given = [...repeat, undefined].map(() => read.map((argument) => argument()));
    const moving = [...args.keys()].filter((k) => args[k].kind === "value" || args[k].kind === "scratch");
    const nest = (depth: number): void => {
      const now = given[depth];
      if (depth === repeat.length) {
        callWith(kernel, now);
        return;
      }
      const moved = given[depth + 1];
      for (let k = 0; k < now.length; k++) moved[k] = now[k];
      const by = steps[depth];
      for (let i = 0; i < repeat[depth].count; i++) {
        nest(depth + 1);
        for (let k = 0; k < by.length; k++) moved[k] += by[k];
      }
    };
    return () => {
      for (const k of moving) given[0][k] = read[k]();
      nest(0);
    };
  }

  #argument(arg: PlanArgument<number>): () => number {
    const { scratch, arena, engine } = this.#context;
    if (arg.kind === "number" || arg.kind === "float") {
      const value = Number(arg.value);
      return () => value;
    }
    if (arg.kind === "scratch") return () => scratch.address;
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

  /**
   * Returns a function that runs the body for each round. Between rounds, the function advances the body's buffers and
   * copies the next carries to the current carries.
   */
  #scan(step: PlanScan<number>): () => void {
    const { length, reverse, carries, current, next, histories } = step;
    const body = new ReadyProgram(step.body, this.#context);
    const copy = this.#kernel("copy");
    const bytesOf = (value: number): number => this.#program.values[value].size * this.#elementBytes;
    const pointers = scanBuffers(step, this.#program).map((buffer) => ({
      point: body.#pointer(buffer.name),
      value: buffer.value,
      bytes: buffer.step * this.#elementBytes,
    }));
    const moving = pointers.filter(({ bytes }) => bytes > 0);
    return () => {
      for (const [i, value] of current.entries()) copy(this.#addresses[value], this.#addresses[carries[i]], bytesOf(value));
      for (const { point, value } of pointers) point(this.#addresses[value]);
      for (let i = 0; i < length; i++) {
        const t = reverse ? length - 1 - i : i;
        for (const { point, value, bytes } of moving) point(this.#addresses[value] + t * bytes);
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

/**
 * Calls a kernel without spreading the list of arguments, because spreading would copy it. WebAssembly ignores
 * arguments beyond those that the kernel takes.
 */
function callWith(kernel: Kernel, a: readonly number[]): void {
  assert(a.length <= 16, "no kernel takes more than 16 arguments");
  kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]);
}
