/**
 * Checks that a plan's program is consistent for one batch. Loops and kernels must not access memory outside the values
 * that they name. Values must stay within their buffers. No step is allowed to write to parameters or constants. The
 * bodies of scans are checked in the same way. Their buffers are slices of the values over which the scan runs.
 *
 * @throws DataError
 */
import type { PlanCall, PlanKernel, PlanLoop, PlanProgram, PlanScan } from "../../engine/memory/array-plan.ts";
import type { ElementwiseAccess } from "../../engine/memory/elementwise.ts";
import { damaged } from "./format.ts";
import { MOST_COUNT, rolesOf, touchedBy } from "./kernel-rules.ts";
import { loopCode } from "./loop-code.ts";

/** Number of elements of a buffer, and whether steps are allowed to write to it. */
export interface Room {
  readonly size: number;
  readonly isWritten: boolean;
}

/** Largest memory in bytes. It is limited because addresses are u32. */
const MOST_BYTES = 2 ** 32;

const isCount = (x: number): boolean => Number.isSafeInteger(x) && x >= 0;

export function checkProgram(
  program: PlanProgram<number>,
  rooms: ReadonlyMap<string, Room>,
  elementBytes: 4 | 8,
  where: string,
): void {
  new Check(program, rooms, elementBytes, where).all();
}

/** A buffer of a scan's body: a slice of a value that the scan runs over. */
export interface ScanBuffer {
  readonly name: string;
  readonly value: number;
  /** Number of elements. */
  readonly size: number;
  /** Distance between the slices of two successive rounds, in elements. */
  readonly step: number;
  readonly isWritten: boolean;
}

export function scanBuffers(scan: PlanScan<number>, { values }: PlanProgram<number>): ScanBuffer[] {
  const { length, body } = scan;
  const whole = (kind: string, of: readonly number[], isWritten = false): ScanBuffer[] =>
    of.map((value, i) => ({ name: `${kind} ${i}`, value, size: values[value].size, step: 0, isWritten }));
  // The first value of the body that is in a buffer determines the buffer's size per round.
  const first = new Map<string, number>();
  for (const { size, home } of body.values) if (home.kind === "buffer" && !first.has(home.name)) first.set(home.name, size);
  return [
    ...whole("carry", scan.current),
    ...whole("next", scan.next, true),
    ...whole("constant", scan.constants),
    ...whole("over", scan.over).map((buffer) => ({ ...buffer, size: buffer.size / length, step: buffer.size / length })),
    ...whole("output", scan.outputs, true).map((buffer) => {
      const size = first.get(buffer.name);
      // If an output is not used, it gets scratch space of one element.
      return size !== undefined && buffer.size === size * length ? { ...buffer, size, step: size } : buffer;
    }),
  ];
}

class Check {
  readonly #program: PlanProgram<number>;
  readonly #rooms: ReadonlyMap<string, Room>;
  readonly #elementBytes: 4 | 8;
  readonly #where: string;

  constructor(program: PlanProgram<number>, rooms: ReadonlyMap<string, Room>, elementBytes: 4 | 8, where: string) {
    this.#program = program;
    this.#rooms = rooms;
    this.#elementBytes = elementBytes;
    this.#where = where;
  }

  all(): void {
    for (const { size, home } of this.#program.values) {
      if (!isCount(size) || size * this.#elementBytes >= MOST_BYTES) this.#fail(`has a value of ${size} numbers`);
      if (home.kind !== "buffer") continue;
      const room = this.#rooms.get(home.name);
      if (!room) this.#fail(`names the buffer "${home.name}", which does not exist`);
      const end = home.offset + size;
      if (!isCount(home.offset) || end > room.size || end * this.#elementBytes >= MOST_BYTES)
        this.#fail(`reaches from ${home.offset} to ${end} in "${home.name}" of ${room.size} numbers`);
    }
    for (const step of this.#program.steps) {
      if (step.kind === "zero") this.#writes(step.value);
      else if (step.kind === "loop") this.#loop(step);
      else if (step.kind === "kernel") this.#kernel(step);
      else this.#scan(step);
    }
  }

  #loop(loop: PlanLoop<number>): void {
    const { shape, loads, stores, reductions } = loop;
    const total = shape.reduce((product, extent) => product * extent, 1);
    if (!shape.every((extent) => isCount(extent) && extent >= 1) || total > MOST_COUNT)
      this.#fail(`has a loop over ${shape.join(" × ")}`);
    for (const load of loads) this.#access(shape, load, this.#size(load.value));
    for (const { to } of [...stores, ...reductions]) this.#writes(to.value);
    for (const { to } of stores) this.#access(shape, to, this.#size(to.value));
    for (const { to, size } of reductions) {
      const whole = this.#size(to.value);
      if (!isCount(size) || size > whole || to.offset !== 0) this.#fail(`reduces to ${size} numbers of ${whole}`);
      this.#access(shape, to, size);
    }
    // Checks that operations are known and name existing operands.
    loopCode(loop, this.#elementBytes, this.#where);
  }

  #access(shape: readonly number[], { offset, strides }: ElementwiseAccess, size: number): void {
    const { low, high } = reach(offset, shape, strides);
    const isWithin = isCount(offset) && low >= 0 && high < size && strides.length === shape.length;
    if (!isWithin) this.#fail(`reaches from ${low} to ${high} in a value of ${size} numbers`);
  }

  #kernel({ calls, result }: PlanKernel<number>): void {
    this.#writes(result);
    for (const call of calls) this.#call(call, result);
  }

  #call(call: PlanCall<number>, result: number): void {
    const { kernel, args, repeat } = call;
    const roles = rolesOf(kernel, this.#where);
    const { elements } = touchedBy(call, this.#elementBytes, this.#where);
    const rounds = repeat.map(({ count }) => count);
    if (!rounds.every((count) => isCount(count) && count <= MOST_COUNT))
      this.#fail(`repeats ${kernel} ${rounds.join(" × ")} times`);
    for (const [i, arg] of args.entries()) {
      const steps = repeat.map((one) => one.steps[i]);
      if (arg.kind !== "value") {
        if (steps.some((step) => step !== 0)) this.#fail(`moves argument ${i} of ${kernel}, which is not an array`);
        continue;
      }
      if (roles[i] === "writes" && arg.value !== result)
        this.#fail(`has a call of ${kernel} that writes to the value ${arg.value}, not to its result`);
      const size = this.#size(arg.value);
      const { low, high } = reach(arg.offset, rounds, steps);
      const isIdle = elements[i] === 0 || rounds.includes(0);
      if (!isCount(arg.offset) || arg.offset > size || (!isIdle && !(low >= 0 && high + elements[i] <= size)))
        this.#fail(`lets ${kernel} reach from ${low} to ${high + elements[i]} in a value of ${size} numbers`);
    }
    if (repeat.some(({ steps }) => steps.length !== args.length)) this.#fail(`moves more arguments of ${kernel} than it has`);
  }

  #scan(scan: PlanScan<number>): void {
    const { length, carries, over, current, next, outputs, histories, body } = scan;
    if (!isCount(length) || length < 1 || length > MOST_COUNT) this.#fail(`has a scan over ${length} elements`);
    const lists = [carries, next, histories];
    if (!lists.every((list) => list.length === current.length)) this.#fail("has a scan whose lists of carries differ in length");
    for (const value of [...current, ...next, ...outputs]) this.#writes(value);
    for (const [i, value] of current.entries()) {
      const size = this.#size(value);
      const history = histories[i];
      if (this.#size(carries[i]) < size || this.#size(next[i]) < size)
        this.#fail(`has a scan that carries ${size} numbers from fewer`);
      if (history === null) continue;
      this.#writes(history);
      if (this.#size(history) < size * length) this.#fail(`has a scan with a history of ${this.#size(history)} numbers`);
    }
    for (const value of over)
      if (this.#size(value) % length !== 0) this.#fail(`has a scan of ${length} elements over ${this.#size(value)} numbers`);
    const rooms = new Map(scanBuffers(scan, this.#program).map(({ name, size, isWritten }) => [name, { size, isWritten }]));
    checkProgram(body, rooms, this.#elementBytes, this.#where);
  }

  #size(value: number): number {
    return this.#program.values[value].size;
  }

  /** Throws if the value is read-only, as parameters and constants are. */
  #writes(value: number): void {
    const { home } = this.#program.values[value];
    const isOwn = home.kind === "workspace" || (home.kind === "buffer" && this.#rooms.get(home.name)?.isWritten);
    if (!isOwn) this.#fail(`writes to the value ${value}, which is read-only`);
  }

  #fail(what: string): never {
    throw damaged(this.#where, what);
  }
}

/** Returns the smallest and the largest value of offset + Σ index · stride for all indices below the extents. */
function reach(offset: number, extents: readonly number[], strides: readonly number[]): { low: number; high: number } {
  let low = offset;
  let high = offset;
  for (let axis = 0; axis < extents.length; axis++) {
    const far = strides[axis] * Math.max(extents[axis] - 1, 0);
    if (far < 0) low += far;
    else high += far;
  }
  return { low, high };
}
