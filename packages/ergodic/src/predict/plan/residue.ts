/**
 * Detects plans that read memory before they have written to it in the same call, or that do not write all of an
 * output. Such a plan would expose values of an earlier computation, possibly another user's. Plans of this library's
 * networks never do this. For manipulated plans that do, home.ts clears the memory before each call.
 *
 * Only writes that are certain to happen count: zeros, and loops and kernels that fill a range without gaps.
 */
import { countAt, type PlanCall, type PlanLoop, type PlanProgram, type PlanScan } from "../../engine/memory/array-plan.ts";
import { isGiven, type PlanBuffer } from "./buffers.ts";
import { scanBuffers } from "./check.ts";
import { fillsResult, rolesOf, touchedBy } from "./kernel-rules.ts";

/**
 * Maximum number of separate ranges that are stored for each place. The limit keeps the time of the analysis linear in
 * the number of steps. Networks need only a few ranges.
 */
const MOST_APART = 1000;

/** Elements [from, to). */
type Stretch = readonly [from: number, to: number];

interface Found {
  readonly readsResidue: boolean;
  /** Whether the first `size` elements of a buffer were written. */
  isWhole(buffer: string, size: number): boolean;
}

/** Whether a checked program (check.ts) for this number of rows exposes residue. */
export function showsResidue(
  program: PlanProgram<number>,
  buffers: readonly PlanBuffer[],
  rows: number,
  elementBytes: 4 | 8,
): boolean {
  const outputs = new Map(buffers.flatMap((buffer) => (isGiven(buffer) ? [] : [[buffer.name, countAt(buffer.size, rows)]])));
  const { readsResidue, isWhole } = residueOf(program, (name) => !outputs.has(name), elementBytes);
  return readsResidue || ![...outputs].every(([name, size]) => isWhole(name, size));
}

/** `isGiven`: whether a buffer is filled when the program begins. */
function residueOf(program: PlanProgram<number>, isGiven: (buffer: string) => boolean, elementBytes: 4 | 8): Found {
  const written = new Written(program, isGiven);
  const isFine = program.steps.every((step) => {
    if (step.kind === "zero") return written.add(step.value, 0, written.sizeOf(step.value));
    if (step.kind === "loop") return loop(step, written);
    if (step.kind === "scan") return scan(step, program, written, elementBytes);
    return step.calls.every((one) => call(one, step.result, written, elementBytes));
  });
  return { readsResidue: !isFine, isWhole: (buffer, size) => written.isCovered(inBuffer(buffer), 0, size) };
}

const inBuffer = (name: string): string => `buffer ${name}`;

class Written {
  readonly #program: PlanProgram<number>;
  readonly #isGiven: (buffer: string) => boolean;
  /**
   * Written ranges without overlaps. The ranges are stored by buffer, or by value if the value has a place of its own.
   * Ranges that are interleaved are stored separately for each layout.
   */
  readonly #stretches = new Map<string, Stretch[]>();

  constructor(program: PlanProgram<number>, isGiven: (buffer: string) => boolean) {
    this.#program = program;
    this.#isGiven = isGiven;
  }

  sizeOf(value: number): number {
    return this.#program.values[value].size;
  }

  /** Records a write. Always returns true. */
  add(value: number, from: number, to: number): true {
    const { key, offset } = this.#placeOf(value);
    this.#merge(key, offset + from, offset + to);
    return true;
  }

  #merge(key: string, from: number, to: number): void {
    let [start, end] = [from, to];
    const apart: Stretch[] = [];
    for (const stretch of this.#stretches.get(key) ?? []) {
      if (stretch[1] < start || stretch[0] > end) apart.push(stretch);
      else [start, end] = [Math.min(start, stretch[0]), Math.max(end, stretch[1])];
    }
    // A plan with more ranges is treated as one that exposes residue.
    if (apart.length < MOST_APART) this.#stretches.set(key, [...apart, [start, end]]);
  }

  /**
   * Records written ranges of equal length at equal distances, such as the parts of a concatenation. When further
   * ranges of this kind have filled all gaps, the whole value counts as written.
   */
  addStrided(value: number, from: number, { block, period, count }: Strided): void {
    if (count === 1) return void this.add(value, from, from + block);
    const whole = period * count;
    const start = from % period;
    if (from >= period || start + block > period) return;
    const key = `part of ${value} by ${period} to ${whole}`;
    this.#merge(key, start, start + block);
    if (this.isCovered(key, 0, period)) this.add(value, 0, whole);
  }

  /** Whether the whole value has been written, or was given. */
  has(value: number): boolean {
    const { home, size } = this.#program.values[value];
    if (home.kind === "constant" || (home.kind === "buffer" && this.#isGiven(home.name))) return true;
    const { key, offset } = this.#placeOf(value);
    return this.isCovered(key, offset, offset + size);
  }

  isCovered(key: string, from: number, to: number): boolean {
    return to <= from || (this.#stretches.get(key) ?? []).some(([start, end]) => start <= from && to <= end);
  }

  #placeOf(value: number): { key: string; offset: number } {
    const { home } = this.#program.values[value];
    return home.kind === "buffer" ? { key: inBuffer(home.name), offset: home.offset } : { key: `value ${value}`, offset: 0 };
  }
}

/** `count` gapless runs of `block` elements, each `period` after the previous one. */
interface Strided {
  readonly block: number;
  readonly period: number;
  readonly count: number;
}

/**
 * Returns the elements that are visited with these strides. Returns undefined if the gaps differ in size or an element
 * is visited twice. `block`: elements at each position.
 */
function strided(extents: readonly number[], strides: readonly number[], block = 1): Strided | undefined {
  const axes = extents.map((extent, i) => ({ extent, stride: strides[i] })).filter(({ extent }) => extent !== 1);
  let [size, period, count] = [block, 0, 1];
  for (const { extent, stride } of axes.sort((a, b) => a.stride - b.stride)) {
    if (period === 0 && stride > size) period = stride;
    else if (stride !== (period === 0 ? size : period * count)) return undefined;
    if (period === 0) size *= extent;
    else count *= extent;
  }
  return { block: size, period: period === 0 ? size : period, count };
}

function loop({ shape, loads, stores, reductions }: PlanLoop<number>, written: Written): boolean {
  if (!loads.every(({ value }) => written.has(value))) return false;
  for (const { to } of stores) {
    const stretches = strided(shape, to.strides);
    if (stretches) written.addStrided(to.value, to.offset, stretches);
  }
  for (const { to, size } of reductions) written.add(to.value, 0, size);
  return true;
}

function call(one: PlanCall<number>, result: number, written: Written, elementBytes: 4 | 8): boolean {
  const roles = rolesOf(one.kernel, "plan");
  const { elements } = touchedBy(one, elementBytes, "plan");
  const rounds = one.repeat.map(({ count }) => count);
  if (rounds.includes(0)) return true;
  for (const [i, arg] of one.args.entries()) {
    if (arg.kind !== "value" || elements[i] === 0) continue;
    if (roles[i] === "reads" && !written.has(arg.value)) return false;
    if (roles[i] !== "writes") continue;
    const steps = one.repeat.map(({ steps }) => steps[i]);
    const stretches = strided(rounds, steps, elements[i]);
    // If the kernel adds to the result or leaves gaps in it, the result does not count as written.
    if (stretches && fillsResult(one)) written.addStrided(result, arg.offset, stretches);
  }
  return true;
}

function scan(step: PlanScan<number>, program: PlanProgram<number>, written: Written, elementBytes: 4 | 8): boolean {
  const { length, carries, over, constants, current, next, histories, body } = step;
  if (![...carries, ...over, ...constants].every((value) => written.has(value))) return false;
  const buffers = scanBuffers(step, program);
  const given = new Set(buffers.flatMap(({ name, isWritten }) => (isWritten ? [] : [name])));
  const found = residueOf(body, (buffer) => given.has(buffer), elementBytes);
  if (found.readsResidue) return false;
  for (const { name, value, size, step: moves, isWritten } of buffers) {
    if (!isWritten || !found.isWhole(name, size)) continue;
    written.add(value, 0, moves === 0 ? size : moves * length);
  }
  // Carries are copied from round to round.
  if (!next.every((value) => written.has(value))) return false;
  for (const value of current) written.add(value, 0, written.sizeOf(value));
  for (const [i, value] of histories.entries()) if (value !== null) written.add(value, 0, written.sizeOf(current[i]) * length);
  return true;
}
