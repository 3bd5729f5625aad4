import { log } from "../../engine/numbers/log.ts";

/**
 * Evaluates a function of literals with a small finite-state machine that reads the literals from left to right. The
 * machine begins in `start`, consumes one literal at a time through `next`, and returns `value(state, head)` when only
 * the last literal, the head, is left. The same machine yields tables for few literals, and chains of small tables for
 * many literals (chains.ts).
 *
 * The numbers and values of the functions follow DimmWitted, the sampler of DeepDive.
 */
export interface Machine {
  readonly start: number;
  /** Returns the state after one more literal, or −1 if the value is now 0 regardless of the remaining literals. */
  next(state: number, literal: number): number;
  /** Returns the function's value. `body` is the number of literals before the head. */
  value(state: number, head: number, body: number): number;
  /** Returns the number of possible states after `count` literals (`count` ≥ 1). */
  states(count: number): number;
}

const sign = (holds: number | boolean): number => (holds ? 1 : -1);
const both = (state: number, literal: number): number => (state && literal ? 1 : 0);
const two = (): number => 2;
const all = { start: 1, next: both, states: two };

/**
 * The state counts unsatisfied body literals. The state is the number of unsatisfied body literals. If the head holds,
 * all body literals count.
 */
const votes = {
  start: 0,
  next: (state: number, literal: number) => state + (literal ? 0 : 1),
  states: (count: number) => count + 1,
};
const linear = (state: number, head: number, body: number): number => (body === 0 ? head : head ? body : state);

/**
 * Functions by name. Each function has its number in DimmWitted's files and its machine. The factor is exp(weight ·
 * feature · value).
 */
export const logicalFunctions = {
  /** 0 if the body is false. If the body is true: 1 if the head holds, and −1 if it does not. */
  implyNatural: { id: 0, ...all, value: (state, head) => (state ? sign(head) : 0) },
  /** 1 if any literal holds, else −1. */
  or: {
    id: 1,
    start: 0,
    next: (state, literal) => (state || literal ? 1 : 0),
    states: two,
    value: (state, head) => sign(state || head),
  },
  /** 1 if all literals hold, else −1. */
  and: { id: 2, ...all, value: (state, head) => sign(both(state, head)) },
  /**
   * 1 if all literals hold or none does, else −1. States: 0 (all literals false), 1 (all true), 2 (mixed) and 3
   * (start).
   */
  equal: {
    id: 3,
    start: 3,
    next: (state, literal) => (state === 3 || state === literal ? literal : 2),
    states: () => 3,
    value: (state, head) => sign(state === 3 || state === head),
  },
  /** Same as `and`. */
  isTrue: { id: 4, ...all, value: (state, head) => sign(both(state, head)) },
  /** Number of body literals that imply the head. */
  linear: { id: 7, ...votes, value: linear },
  /** log2(1 + n), where n is the number of body literals that imply the head. */
  ratio: { id: 8, ...votes, value: (state, head, body) => log(1 + linear(state, head, body)) / Math.LN2 },
  /** 1 if any body literal implies the head, else 0. */
  logical: { id: 9, ...all, value: (state, head) => (state && !head ? 0 : 1) },
  /** 1 if all literals hold, else 0. */
  all: { id: 12, ...all, value: both },
  /** 1 if the body is false or the head holds, else 0. */
  imply: { id: 13, ...all, value: (state, head) => (state ? head : 1) },
} as const satisfies Record<string, Machine & { id: number }>;

/** Name of a weighted function of literals. */
export type LogicalFunction = keyof typeof logicalFunctions;

const names = Object.keys(logicalFunctions) as LogicalFunction[];

/** Names of the weighted functions of literals. */
export const logicalFunctionNames: readonly LogicalFunction[] = names;

const byId = new Map<number, LogicalFunction>(names.map((name) => [logicalFunctions[name].id, name]));

/** Returns the function with this number in DimmWitted's files, or undefined if there is none. */
export function logicalFunctionOf(id: number): LogicalFunction | undefined {
  return byId.get(id);
}

/** 1 if exactly one literal holds, else 0. */
export const oneOfMachine: Machine = {
  start: 0,
  next: (state, literal) => (state + literal > 1 ? -1 : state + literal),
  states: two,
  value: (state, head) => (state + head === 1 ? 1 : 0),
};

/** 1 if at most `most` literals hold, else 0. */
export const atMostMachine = (most: number): Machine => ({
  start: 0,
  next: (state, literal) => (state + literal > most ? -1 : state + literal),
  states: (count) => Math.min(count, most) + 1,
  value: (state, head) => (state + head <= most ? 1 : 0),
});
