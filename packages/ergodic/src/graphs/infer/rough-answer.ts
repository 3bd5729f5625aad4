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

/** Largest number of rounds of loopy belief propagation. More rounds rarely improve the answer. */
const MOST_ROUNDS = 10;
/**
 * Budget for the rounds, in table entries: ENTRIES (about 40 ms of work) plus ENTRIES_PER_SECOND for each second of the
 * time limit (about 3 % of the time).
 */
const [ENTRIES, ENTRIES_PER_SECOND] = [3e6, 2e6];
/** If a single round would take more than this many times the budget, no round is run. */
const MOST_EXCESS = 12;
/**
 * Largest number of edges, (table, variable) pairs, for which a part uses messages. Each edge takes about 400 bytes.
 */
const MOST_EDGES = 2 ** 18;
/**
 * If messages still change by more than this after three rounds, they oscillate. Further rounds would make the beliefs
 * increasingly overconfident.
 */
const GIVE_UP = 0.9;
/**
 * Maximum number of pauses in the searches for possible states, added over all parts. The searches then work for about
 * a tenth of a second.
 */
const MOST_PAUSES = 10;

const MEAN_FIELD = "a step of mean field";
const ROUGH = ", as a rough answer";
const NO_STATE = "no state was found in which all factors are above 0";

/** Amount of work for a rough answer. */
export interface Effort {
  /** Rounds of loopy belief propagation. With 0 rounds, a step of mean field is used instead. */
  readonly rounds: number;
  /** Number of pauses after which the search for a possible state gives up. */
  readonly pauses: number;
}

/** Settings of a rough answer. */
export interface RoughPlan extends Effort {
  readonly task: InferenceTask;
  readonly seed: number;
  /** Explanation of why there is no better answer. */
  readonly why: string;
}

const hasMessages = ({ tables }: Component): boolean => tables.reduce((sum, { scope }) => sum + scope.length, 0) <= MOST_EDGES;

/** Returns the number of entries visited per round of loopy belief propagation. */
const workOf = ({ tables }: Component): number =>
  tables.reduce((sum, { scope, values }) => sum + 4 * scope.length * (values.length + 50), 0);

/** Returns the amount of work for each part. */
export function effortFor(parts: readonly Component[], seconds = 0): Effort {
  const pauses = Math.ceil(MOST_PAUSES / Math.max(1, parts.length));
  const most = ENTRIES + ENTRIES_PER_SECOND * seconds;
  const work = parts.reduce((sum, part) => sum + (hasMessages(part) ? workOf(part) : 0), 0);
  if (work > MOST_EXCESS * most) return { rounds: 0, pauses };
  return { rounds: Math.min(MOST_ROUNDS, Math.max(1, Math.floor(most / work))), pauses };
}

/**
 * Computes a quick answer about a part, for runs that end before their algorithm has one. Marginals are the beliefs of
 * a few rounds of loopy belief propagation, or of one step of mean field if the part is very large. Such marginals have
 * no guarantee unless the part is a tree.
 *
 * For "map", the answer consists of the most probable state of each belief, improved one variable at a time. The upper
 * bound for this state is the product of each table's largest entry. For "partition", the value is the Bethe
 * approximation. The lower bound on ln Z is the larger of two values: the evidence lower bound of the beliefs, and ln
 * of the product at that state. The upper bound is ln of the number of states plus ln of the largest product.
 *
 * If tables have zeros and the state has product 0, a short search looks for another state. If the search or the
 * messages prove that no state has a positive product, the answer says so. The answer depends only on the part and the
 * plan, never on time.
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

/** Computes rough marginals of an unsplit graph, which is stored in columns, by one step of mean field. */
export function* roughMarginals(
  columns: Conditionals,
  { seed, why }: Pick<RoughPlan, "seed" | "why">,
): Generator<void, PartAnswer> {
  const zeros = columns.shapeValues.includes(-Infinity);
  const certificate = { none: zeros ? `${why}, and ${NO_STATE}` : why };
  const marginals = (yield* meanFieldStep(columns, seed)).map((p) => ({ p, certificate }));
  return { method: MEAN_FIELD + ROUGH, marginals };
}

/** Returns beliefs, and the answer of loopy belief propagation if it was run. */
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

/**
 * Climbs from the joint state in which every variable has its most probable state according to the beliefs. If this
 * climb reaches only states with product 0, climbs again from a state found by a short search.
 */
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

/** Returns the answer when it is proved that no state is possible. */
function impossible({ cardinalities }: LogTables, { task }: RoughPlan, method: string): PartAnswer {
  if (task === "map")
    return { method, map: { states: new Int32Array(cardinalities.length), value: -Infinity, bound: -Infinity } };
  return { method, logZ: { value: -Infinity, certificate: { exact: true } } };
}

/**
 * Returns ln of the product of each table's largest entry. The sum runs in the same order as the value of a state, so
 * that no computed value exceeds this bound.
 */
const largest = ({ tables }: LogTables): number =>
  tables.reduce((sum, { values }) => sum + values.reduce((high, value) => Math.max(high, value), -Infinity), 0);

function logZOf(
  tables: LogTables,
  beliefs: readonly Float64Array[],
  value: number | undefined,
  estimate: number | undefined,
  why: string,
): PartAnswer["logZ"] {
  // Bound on the rounding error of a sum with a term per table and variable.
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
