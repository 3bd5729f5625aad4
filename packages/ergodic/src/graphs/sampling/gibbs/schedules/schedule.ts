import type { Conditionals } from "../../../../engine/contract/index.ts";
import type { Blocks } from "../blocking.ts";

/** Positions that are visited together. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Workers may share them. */
  readonly shared: boolean;
}

/** In what order variables are visited, and which of them at once. */
export interface Visits {
  /** The variables that were not observed, by position. */
  readonly order: Uint32Array;
  /** Of a sweep. */
  readonly stretches: readonly Stretch[];
  /** Where variables are drawn together. */
  readonly blocks?: Blocks;
}

/** The order of visits of a sweep: one file each. */
export interface Schedule {
  readonly name: string;
  /** As part of the answer's method. */
  readonly words: string;
  /** Positions are drawn at random, and those of the order are not all visited. */
  readonly random?: boolean;
  /** Why what it gives has no guarantee. */
  readonly biased?: string;
  /** Yields every few milliseconds. */
  visits(columns: Conditionals): Generator<void, Visits>;
}

/** The variables that were not observed, in their order. */
export function unobserved({ observed }: Conditionals): Uint32Array {
  return Uint32Array.from(observed.keys()).filter((variable) => observed[variable] < 0);
}

/** Visits of all of them, in one stretch. */
// biome-ignore lint/correctness/useYield: other schedules take longer
export function* inOrder(columns: Conditionals, shared: boolean): Generator<void, Visits> {
  const order = unobserved(columns);
  return { order, stretches: [{ from: 0, to: order.length, shared }] };
}

/** A stretch in pieces of at most so many positions. */
export function pieces({ from, to, shared }: Stretch, most: number): Stretch[] {
  const all: Stretch[] = [];
  for (let at = from; at < to; at += most) all.push({ from: at, to: Math.min(to, at + most), shared });
  return all;
}
