/**
 * Plans the memory of a program's block. Addresses of values are aligned to 64 bytes. Values with disjoint lifetimes
 * share an address. A loop that reads a value for the last time can overwrite the value, element by element, with
 * another value of the same size.
 *
 * Block, in bytes: u32 keyLow, u32 keyHigh, f64 update (inputs of random primitives) · one u32 pointer per buffer ·
 * constants · values · scratch of kernels · blocks of scan bodies.
 */
import { assert } from "../../errors/errors.ts";
import { Gaps } from "./gaps.ts";
import { type Access, type LoopStep, type Lowered, type Step, touched, type Value } from "./lowered.ts";
import { sameShape, stridesOf } from "./symbolic.ts";

export const KEY_LOW = 0;
export const KEY_HIGH = 4;
export const UPDATE = 8;
const POINTERS = 16;
const ALIGN = 64;

/** Numbers with which the block is initialised. */
export interface Initial {
  readonly at: number;
  readonly type: "u32" | "f32" | "f64";
  readonly values: ArrayLike<number>;
}

export interface BlockPlan {
  /** Byte offsets of the buffers' pointers. */
  readonly pointers: Readonly<Record<string, number>>;
  /** Byte offset of each value in the block; undefined for values in buffers. */
  readonly places: readonly (number | undefined)[];
  readonly initial: readonly Initial[];
  /** Byte offsets of constants of kernel calls, in order of occurrence. */
  readonly constants: readonly number[];
  readonly scratch: number;
  /** Plan and offset of each scan's body, by step. */
  readonly bodies: ReadonlyMap<Step, { readonly plan: BlockPlan; readonly at: number }>;
  readonly bytes: number;
}

export function planMemory({ values, steps }: Lowered, type: "f32" | "f64"): BlockPlan {
  const elementBytes = type === "f64" ? 8 : 4;
  let end = POINTERS;
  const take = (bytes: number): number => {
    const at = Math.ceil(end / ALIGN) * ALIGN;
    end = at + bytes;
    return at;
  };
  const names = new Set(values.flatMap((v) => (v.home.kind === "buffer" ? [v.home.name] : [])));
  const pointers = Object.fromEntries([...names].map((name) => [name, (end += 4) - 4]));
  const initial: Initial[] = [];
  const places: (number | undefined)[] = values.map((value) => {
    if (value.home.kind !== "constant") return undefined;
    const at = take(value.size * elementBytes);
    initial.push({ at, type, values: value.home.values });
    return at;
  });
  const constants: number[] = [];
  for (const { type: kind, values: numbers } of constantsOf(steps)) {
    const at = take(numbers.length * (kind === "u32" ? 4 : elementBytes));
    initial.push({ at, type: kind === "u32" ? "u32" : type, values: numbers });
    constants.push(at);
  }
  const workspace = take(0);
  const { at, bytes } = packed(values, steps, elementBytes);
  at.forEach((offset, i) => {
    if (offset !== undefined) places[i] = workspace + offset;
  });
  end = workspace + bytes;
  const scratch = take(scratchOf(steps));
  const bodies = new Map<Step, { plan: BlockPlan; at: number }>();
  for (const step of steps) {
    if (step.kind !== "scan") continue;
    const plan = planMemory(step.body, type);
    bodies.set(step, { plan, at: take(plan.bytes) });
  }
  return { pointers, places, initial, constants, scratch, bodies, bytes: Math.ceil(end / ALIGN) * ALIGN };
}

/** Returns the constants of kernel calls, in order. */
function constantsOf(steps: readonly Step[]): { type: "u32" | "number"; values: readonly number[] }[] {
  return steps.flatMap((step) =>
    step.kind === "kernel"
      ? step.calls.flatMap((call) => call.args.flatMap((arg) => (arg.kind === "constants" ? [arg] : [])))
      : [],
  );
}

function scratchOf(steps: readonly Step[]): number {
  let most = 0;
  for (const step of steps) {
    if (step.kind !== "kernel") continue;
    for (const { args } of step.calls) {
      const bytes = args.reduce((sum, arg) => sum + (arg.kind === "scratch" ? Math.ceil(arg.bytes / ALIGN) * ALIGN : 0), 0);
      most = Math.max(most, bytes);
    }
  }
  return most;
}

/** Assigns offsets to workspace values by first fit over the steps of the program. */
function packed(
  values: readonly Value[],
  steps: readonly Step[],
  elementBytes: number,
): { at: (number | undefined)[]; bytes: number } {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  steps.forEach((step, i) => {
    const { reads, writes } = touched(step);
    for (const v of [...reads, ...writes]) {
      if (!first.has(v)) first.set(v, i);
      last.set(v, i);
    }
  });
  const at: (number | undefined)[] = values.map(() => undefined);
  const free = new Gaps();
  /** Memory of live values. */
  const placeOf = new Map<number, Place>();
  /**
   * Memory pieces, grouped by the last step that uses them. A piece is free after its last step, unless another value
   * has inherited the piece.
   */
  const ending = new Map<number, Place[]>();
  let bytes = 0;
  const isOwn = (v: number): boolean => values[v].home.kind === "workspace";
  const take = (v: number, place: Place, until: number): void => {
    at[v] = place.from;
    place.until = until;
    placeOf.set(v, place);
    const same = ending.get(until);
    if (same) same.push(place);
    else ending.set(until, [place]);
  };
  for (const [i, step] of steps.entries()) {
    for (const place of ending.get(i - 1) ?? []) if (place.until === i - 1) free.give(place.from, place.to);
    ending.delete(i - 1);
    for (const v of touched(step).writes) {
      if (!isOwn(v) || at[v] !== undefined) continue;
      const until = last.get(v)!;
      const heir =
        step.kind === "loop" ? inherited(step, v, values, (u) => isOwn(u) && last.get(u) === i && first.get(u)! < i) : undefined;
      const inheritance = heir === undefined ? undefined : placeOf.get(heir);
      // `until` is later if another store of this step has inherited this memory.
      if (inheritance?.until === i && until > i) {
        take(v, inheritance, until);
        continue;
      }
      const size = Math.ceil((values[v].size * elementBytes) / ALIGN) * ALIGN;
      const from = free.take(size);
      bytes = Math.max(bytes, from + size);
      take(v, { from, to: from + size, until }, until);
    }
  }
  for (const v of values.keys())
    assert(!isOwn(v) || at[v] !== undefined || !first.has(v), "a value is read before it is written");
  return { at, bytes };
}

interface Place {
  readonly from: number;
  readonly to: number;
  until: number;
}

/**
 * Returns a value whose memory the store can inherit. This loop must be the last to read the value, and must read only
 * the element that it stores.
 */
function inherited(step: LoopStep, v: number, values: readonly Value[], ends: (u: number) => boolean): number | undefined {
  const store = step.stores.find((s) => s.to.value === v);
  if (!store || !isWhole(step, store.to, values[v].size)) return undefined;
  const candidates = step.loads.filter(
    (l) => ends(l.value) && values[l.value].size === values[v].size && isWhole(step, l, values[v].size),
  );
  return candidates.find(({ value }) => step.loads.every((l) => l.value !== value || isWhole(step, l, values[v].size)))?.value;
}

function isWhole({ shape }: LoopStep, { offset, strides }: Access, size: number): boolean {
  const wanted = stridesOf(shape);
  return (
    offset === 0 &&
    shape.reduce((a, b) => a * b, 1) === size &&
    sameShape(
      strides.map((s, i) => (shape[i] === 1 ? wanted[i] : s)),
      wanted,
    )
  );
}
