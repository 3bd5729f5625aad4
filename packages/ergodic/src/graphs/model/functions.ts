import { log } from "../../engine/numbers/log.ts";

/**
 * Functions of literals, each 1 where it is satisfied and 0 elsewhere, read from left to right by a machine with few states: it starts in `start`, takes
 * one literal after another by `next`, and has the value `value(state, head)` once it is before the last one, the head. What is written here once gives
 * small tables directly, and for many literals a chain of small tables (chains.ts).
 *
 * Numbers of the functions and their values: DimmWitted, the sampler of DeepDive.
 */
export interface Machine {
  readonly start: number;
  /** The state behind one more literal; −1: from here on the value is 0 whatever comes. */
  next(state: number, literal: number): number;
  /** `body`: literals before the head. */
  value(state: number, head: number, body: number): number;
  /** How many states there are behind `count` literals, at least one. */
  states(count: number): number;
}

const sign = (holds: number | boolean): number => (holds ? 1 : -1);
const both = (state: number, literal: number): number => (state && literal ? 1 : 0);
const two = (): number => 2;
const all = { start: 1, next: both, states: two };

/** Body literals that are not satisfied, or all of them where the head is. */
const votes = {
  start: 0,
  next: (state: number, literal: number) => state + (literal ? 0 : 1),
  states: (count: number) => count + 1,
};
const linear = (state: number, head: number, body: number): number => (body === 0 ? head : head ? body : state);

/** By name: its number in DimmWitted's files, and its machine. The factor is exp(weight · feature · value). */
export const logicalFunctions = {
  /** 0 where the body is false; elsewhere 1 or −1 by the head. */
  implyNatural: { id: 0, ...all, value: (state, head) => (state ? sign(head) : 0) },
  /** 1 where any literal holds, else −1. */
  or: {
    id: 1,
    start: 0,
    next: (state, literal) => (state || literal ? 1 : 0),
    states: two,
    value: (state, head) => sign(state || head),
  },
  /** 1 where all literals hold, else −1. */
  and: { id: 2, ...all, value: (state, head) => sign(both(state, head)) },
  /** 1 where all literals hold or none does, else −1. States: all false, all true, mixed, and the start. */
  equal: {
    id: 3,
    start: 3,
    next: (state, literal) => (state === 3 || state === literal ? literal : 2),
    states: () => 3,
    value: (state, head) => sign(state === 3 || state === head),
  },
  /** As `and`. */
  isTrue: { id: 4, ...all, value: (state, head) => sign(both(state, head)) },
  /** How many body literals imply the head. */
  linear: { id: 7, ...votes, value: linear },
  /** log2(1 + that number). */
  ratio: { id: 8, ...votes, value: (state, head, body) => log(1 + linear(state, head, body)) / Math.LN2 },
  /** 1 where that number is above 0, else 0. */
  logical: { id: 9, ...all, value: (state, head) => (state && !head ? 0 : 1) },
  /** 1 where all literals hold, else 0. */
  all: { id: 12, ...all, value: both },
  /** 1 where the body is false; elsewhere the head. */
  imply: { id: 13, ...all, value: (state, head) => (state ? head : 1) },
} as const satisfies Record<string, Machine & { id: number }>;

/** Functions of literals that have weights. */
export type LogicalFunction = keyof typeof logicalFunctions;

const names = Object.keys(logicalFunctions) as LogicalFunction[];

/** The names of the functions of literals. */
export const logicalFunctionNames: readonly LogicalFunction[] = names;

const byId = new Map<number, LogicalFunction>(names.map((name) => [logicalFunctions[name].id, name]));

/** The function with a number of DimmWitted's files; undefined where there is none. */
export function logicalFunctionOf(id: number): LogicalFunction | undefined {
  return byId.get(id);
}

/** 1 where exactly one literal holds, else 0. */
export const oneOfMachine: Machine = {
  start: 0,
  next: (state, literal) => (state + literal > 1 ? -1 : state + literal),
  states: two,
  value: (state, head) => (state + head === 1 ? 1 : 0),
};

/** 1 where at most `most` literals hold, else 0. */
export const atMostMachine = (most: number): Machine => ({
  start: 0,
  next: (state, literal) => (state + literal > most ? -1 : state + literal),
  states: (count) => Math.min(count, most) + 1,
  value: (state, head) => (state + head <= most ? 1 : 0),
});
