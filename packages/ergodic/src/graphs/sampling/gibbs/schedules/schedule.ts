import type { Conditionals } from "../../../../engine/contract/index.ts";
import type { Blocks } from "../blocking.ts";

/** Range of positions that are visited together. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Whether workers may share the stretch. */
  readonly shared: boolean;
}

/** Visiting order of the variables, and which of them are visited simultaneously. */
export interface Visits {
  /** Unobserved variables, by position. */
  readonly order: Uint32Array;
  /** Stretches of a sweep. */
  readonly stretches: readonly Stretch[];
  /** Blocks, if variables are drawn jointly. */
  readonly blocks?: Blocks;
}

/** Visiting order of a sweep. There is one file per schedule. */
export interface Schedule {
  readonly name: string;
  /** Phrase that describes the schedule in the `method` of an answer. */
  readonly words: string;
  /** Whether positions are drawn at random, so that a sweep can miss some. */
  readonly random?: boolean;
  /** Reason why results have no guarantee. */
  readonly biased?: string;
  /** Returns the visits. Yields every few milliseconds. */
  visits(columns: Conditionals): Generator<void, Visits>;
}

/** Returns the unobserved variables in ascending order. */
export function unobserved({ observed }: Conditionals): Uint32Array {
  return Uint32Array.from(observed.keys()).filter((variable) => observed[variable] < 0);
}

/** Visits all unobserved variables in a single stretch. */
// biome-ignore lint/correctness/useYield: other schedules take longer
export function* inOrder(columns: Conditionals, shared: boolean): Generator<void, Visits> {
  const order = unobserved(columns);
  return { order, stretches: [{ from: 0, to: order.length, shared }] };
}

/** Splits a stretch into pieces of at most `most` positions. */
export function pieces({ from, to, shared }: Stretch, most: number): Stretch[] {
  const all: Stretch[] = [];
  for (let at = from; at < to; at += most) all.push({ from: at, to: Math.min(to, at + most), shared });
  return all;
}
