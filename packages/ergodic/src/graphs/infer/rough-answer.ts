import type { Certificate, Conditionals } from "../../engine/contract/index.ts";
import { stream } from "../../engine/random/stream.ts";
import { logZBetween } from "../bounds/state-bounds.ts";
import { Contraction } from "../exact/contraction.ts";
import { evidenceLowerBound } from "../exact/evidence-lower-bound.ts";
import { LoopyBeliefPropagation } from "../exact/loopy-belief-propagation.ts";
import type { InferenceTask, PartAnswer } from "../parts/algorithm.ts";
import { climb } from "../parts/climb.ts";
import { JointState } from "../parts/joint-state.ts";
import { LogTables } from "../parts/log-tables.ts";
import { type PositiveState, positiveState } from "../parts/positive-state.ts";
import type { Component } from "../parts/reduction.ts";
import { isSmall, smallAnswer } from "../parts/small-part.ts";
import { tableColumns } from "../parts/table-columns.ts";
import { meanFieldStep } from "./mean-field-step.ts";

/** Rounds of loopy belief propagation: more seldom make an answer better. */
const MOST_ROUNDS = 10;
/** Table entries that rounds may visit, which take some 40 ms; and for each second of the time limit, some 3 % of it. */
const [ENTRIES, ENTRIES_PER_SECOND] = [3e6, 2e6];
/** A round that takes this many times as much is left out. */
const MOST_EXCESS = 12;
/** Places of variables in tables beyond which a part has no messages: they take some 400 bytes each. */
const MOST_EDGES = 2 ** 18;
/** Messages that still change by more after three rounds oscillate: beliefs become too sure then, the longer the more. */
const GIVE_UP = 0.9;
/** Pauses of the searches for possible states, of all parts together: about a tenth of a second. */
const MOST_PAUSES = 10;

const MEAN_FIELD = "a step of mean field";
const ROUGH = ", as a rough answer";
const NO_STATE = "no state was found in which no factor is 0";

/** How much is done for a rough answer. */
export interface Effort {
  /** Rounds of loopy belief propagation; 0: none, and a step of mean field in their place. */
  readonly rounds: number;
  /** Pauses after which the search for a possible state gives up. */
  readonly pauses: number;
}

/** How a rough answer is made. */
export interface RoughPlan extends Effort {
  readonly task: InferenceTask;
  readonly seed: number;
  /** Why there is no better one, in words. */
  readonly why: string;
}

const hasMessages = ({ tables }: Component): boolean => tables.reduce((sum, { scope }) => sum + scope.length, 0) <= MOST_EDGES;

/** What a round of loopy belief propagation visits. */
const workOf = ({ tables }: Component): number =>
  tables.reduce((sum, { scope, values }) => sum + 4 * scope.length * (values.length + 50), 0);

/** How much is done for each of the parts. */
export function effortFor(parts: readonly Component[], seconds = 0): Effort {
  const pauses = Math.ceil(MOST_PAUSES / Math.max(1, parts.length));
  const most = ENTRIES + ENTRIES_PER_SECOND * seconds;
  const work = parts.reduce((sum, part) => sum + (hasMessages(part) ? workOf(part) : 0), 0);
  if (work > MOST_EXCESS * most) return { rounds: 0, pauses };
  return { rounds: Math.min(MOST_ROUNDS, Math.max(1, Math.floor(most / work))), pauses };
}

/**
 * An answer about a part that takes little time, for runs that end before their algorithm has one. Marginals are beliefs of loopy belief propagation
 * after a few rounds, or of one step of mean field if the part is very large. They have no guarantee, unless the part is a tree.
 *
 * The most probable state of each belief, improved one variable at a time, is the answer to "map"; its bound is the product of all tables' largest
 * entries. For "partition" the value is the Bethe approximation. ln Z is at least the evidence lower bound of the beliefs, and at least ln of the product at
 * that state; and at most ln of the number of states times the largest product. If tables have zeros and the state has a product of 0, a short search looks
 * for another one. Where it proves that there is none, or messages do, the answer says so. It depends on the part and the plan alone, never on time.
 */
export function* roughAnswer(part: Component, plan: RoughPlan): Generator<void, PartAnswer> {
  if (isSmall(part)) return smallAnswer(part, plan.task);
  const tables = yield* LogTables.making(part);
  const { found, beliefs } = yield* propagated(part, tables, plan);
  const exact = found?.logZ && "exact" in found.logZ.certificate ? found.logZ : undefined;
  const method = (found?.method ?? MEAN_FIELD) + (exact ? "" : ROUGH);
  if (exact?.value === -Infinity) return impossible(tables, plan, method);
  const needed = plan.task !== "marginals" || (tables.zeros && !exact);
  const state = needed ? yield* goodState(tables, beliefs, plan) : undefined;
  if (state === "impossible") return impossible(tables, plan, method);
  if (plan.task === "map") return { method, map: { ...(state ?? noState(tables)), bound: largest(tables) } };
  if (plan.task === "partition")
    return { method, logZ: exact ?? logZOf(tables, beliefs, state?.value, found?.logZ?.value, plan.why) };
  const doubt = needed && !state ? `, and ${NO_STATE}` : "";
  const certificate: Certificate = exact ? { exact: true } : { none: plan.why + doubt };
  return { method, marginals: beliefs.map((p) => ({ p, certificate })), ...(exact ? { logZ: exact } : {}) };
}

/** A rough answer about a whole graph in columns: marginals by one step of mean field. */
export function* roughMarginals(
  columns: Conditionals,
  { seed, why }: Pick<RoughPlan, "seed" | "why">,
): Generator<void, PartAnswer> {
  const zeros = columns.shapeValues.includes(-Infinity);
  const certificate = { none: zeros ? `${why}, and ${NO_STATE}` : why };
  const marginals = (yield* meanFieldStep(columns, seed)).map((p) => ({ p, certificate }));
  return { method: MEAN_FIELD + ROUGH, marginals };
}

/** Beliefs, and what loopy belief propagation says of them if it was run. */
function* propagated(
  part: Component,
  tables: LogTables,
  { task, seed, rounds }: RoughPlan,
): Generator<void, { found: PartAnswer | undefined; beliefs: readonly Float64Array[] }> {
  if (rounds === 0 || !hasMessages(part)) return { found: undefined, beliefs: yield* meanFieldStep(tableColumns(tables), seed) };
  const asked = task === "partition" ? "partition" : "marginals";
  const run = new LoopyBeliefPropagation(part, { task: asked }, { damping: 0.3, tolerance: 1e-9, rounds, giveUp: GIVE_UP });
  yield* run.finishing();
  const found = run.answer();
  return { found, beliefs: found?.marginals?.map(({ p }) => p) ?? run.beliefs() };
}

type State = NonNullable<PartAnswer["map"]>;

/** Begins at the most probable state of each belief, or, if that leads nowhere, at one that a short search finds. */
function* goodState(
  tables: LogTables,
  beliefs: readonly Float64Array[],
  plan: RoughPlan,
): Generator<void, State | "impossible" | undefined> {
  const likely = beliefs.map((p) => p.indexOf(p.reduce((most, value) => Math.max(most, value), 0)));
  const joint = new JointState(tables, likely);
  yield* climb(joint);
  if (joint.value === -Infinity) {
    const possible = yield* shortSearch(tables, beliefs, plan);
    if (!(possible instanceof Int32Array)) return possible;
    joint.set(possible);
    yield* climb(joint);
  }
  return { states: joint.states, value: joint.value };
}

function* shortSearch(
  tables: LogTables,
  beliefs: readonly Float64Array[],
  { seed, pauses }: RoughPlan,
): Generator<void, PositiveState> {
  const search = positiveState(tables, stream(seed, "rough answer").at(0), beliefs);
  for (let pause = 0; pause <= pauses; pause++) {
    const { done, value } = search.next();
    if (done) return value;
    yield;
  }
  return undefined;
}

const noState = ({ cardinalities }: LogTables): State => ({ states: new Int32Array(cardinalities.length), value: -Infinity });

/** A proof that no state is possible, as the task has it. */
function impossible({ cardinalities }: LogTables, { task }: RoughPlan, method: string): PartAnswer {
  if (task === "map")
    return { method, map: { states: new Int32Array(cardinalities.length), value: -Infinity, bound: -Infinity } };
  return { method, logZ: { value: -Infinity, certificate: { exact: true } } };
}

/** ln of the product of all tables' largest entries, in the order in which a state's value is added up: no value is above it. */
const largest = ({ tables }: LogTables): number =>
  tables.reduce((sum, { values }) => sum + values.reduce((high, value) => Math.max(high, value), -Infinity), 0);

function logZOf(
  tables: LogTables,
  beliefs: readonly Float64Array[],
  value: number | undefined,
  estimate: number | undefined,
  why: string,
): PartAnswer["logZ"] {
  // What sums of a term for each table and variable may be rounded by.
  const rounding = (sum: number): number => 2 ** -50 * (tables.tables.length + beliefs.length) * (1 + Math.abs(sum));
  const product = value === undefined ? -Infinity : value - rounding(value);
  const evidence = tables.zeros ? -Infinity : evidenceLowerBound(tables, beliefs, new Contraction());
  const most = largest(tables) + tables.logStates;
  const upper = most + rounding(most);
  const lower = Math.min(upper, Math.max(product, evidence));
  const between = logZBetween(lower, upper)!;
  const { certificate } = between;
  return {
    value: estimate === undefined ? between.value : Math.min(upper, Math.max(lower, estimate)),
    certificate: "none" in certificate ? { none: `${why}; ${certificate.none}` } : certificate,
  };
}
