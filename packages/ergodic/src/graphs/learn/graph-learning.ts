import type { Conditionals, JsonObject, Penalty, Plan, Progression } from "../../engine/contract/index.ts";
import { CapabilityError, DataError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { worseFindings } from "../../engine/errors/worse.ts";
import { type Checkpoint, fromCheckpoint, readCheckpointOf } from "../../engine/loop/checkpoint.ts";
import { isWhole, KeptPart } from "../../engine/loop/kept-part.ts";
import { type PlanOptions, resolvePlan } from "../../engine/loop/plan.ts";
import type { RunSummary } from "../../engine/loop/run.ts";
import { resolveStopping, type StoppingOptions, type Until } from "../../engine/loop/stopping.ts";
import { type Engine, openEngine } from "../../engine/memory/engine.ts";
import { readsLoss } from "../../engine/optimise/cost.ts";
import { refuseLink } from "../../engine/optimise/fits.ts";
import { fullDescent, penaltyAt } from "../../engine/optimise/full.ts";
import { FullLanes } from "../../engine/optimise/full-lanes.ts";
import { ruleFromJson } from "../../engine/optimise/index.ts";
import type { EquationRule, HostRule, Rule, RuleJson } from "../../engine/optimise/kinds.ts";
import { adam } from "../../engine/optimise/rules/adam.ts";
import { inverseTimeDecay } from "../../engine/optimise/schedules/index.ts";
import { stream } from "../../engine/random/stream.ts";
import { inTurns } from "../../engine/threads/steps.ts";
import { factsOf } from "../infer/facts.ts";
import type { FactorGraph } from "../model/graph.ts";
import { contrastiveDivergence } from "./contrastive-divergence.ts";
import { partsWithEvidence } from "./evidence-parts.ts";
import { type LearnedBefore, startOf, weightsFrom } from "./graph-before.ts";
import { islandFindings } from "./graph-islands.ts";
import type { EndedParticles, GraphLearner, GraphObjective, LearningPlan } from "./learner.ts";
import { learnerFromJson } from "./registry.ts";
import { separableFindings } from "./separable.ts";
import { unlabelledFindings } from "./unlabelled.ts";

/** Held-out variables and their observed states. */
export type HeldOut = readonly { readonly variable: number; readonly state: number }[];

/** Execution options of a learning run. */
export type GraphPlan = Pick<PlanOptions, "workers" | "replicas" | "averageEvery" | "deterministic">;

/** Everything that defines a learning run. */
export interface GraphRecipe {
  readonly algorithm: GraphLearner;
  readonly rule: EquationRule | HostRule;
  readonly l1: number;
  readonly l2: number;
  /** Indices of the weights without a penalty. */
  readonly unpenalised: readonly number[];
  readonly heldOut: number;
  /** Execution options as requested. */
  readonly plan: GraphPlan & { readonly seed: number };
  readonly stopping: StoppingOptions;
  /** Initial weights and chain states. */
  readonly from?: LearnedBefore;
  /** Number of updates in earlier runs. */
  readonly begun: number;
  readonly checkpoint?: Checkpoint;
}

/** Memory limit in bytes for the tables of exact gradients and likelihoods. */
export const MEMORY = 1.5 * 2 ** 30;

/**
 * The chains lag behind the weights, so a long momentum makes the weights overshoot. On a lattice of 20,000 variables
 * with 30 weights, β₁ = 0.9 takes 128 updates to achieve 98 % of the possible decrease in held-out loss. With β₁ = 0.5,
 * the held-out loss is within 3 % of the best value from the 8th update on.
 */
const usualRule = (): EquationRule => adam({ rate: inverseTimeDecay({ rate: 0.1, decay: 0.02 }), beta1: 0.5 });

/**
 * Returns the recipe for a user's options.
 *
 * @throws CapabilityError if the losses are random and the rule compares them or derives its step size from them
 */
export function recipeOf(
  { algorithm = contrastiveDivergence(), rule = usualRule() }: { algorithm?: GraphLearner; rule?: Rule },
  rest: Omit<GraphRecipe, "algorithm" | "rule">,
): GraphRecipe {
  refuseLink("fit", rule);
  if (rule.kind === "search")
    throw new CapabilityError(
      "fit",
      `${rule.name}() searches on minibatches, but each update of a graph reads all evidence; use a rule such as adam()`,
      "RULE_CAPABILITY",
    );
  if (rule.kind === "equation" && algorithm.draws && readsLoss(rule))
    throw new CapabilityError(
      "fit",
      `${rule.name}() takes its rate from the loss, but ${algorithm.name}() reports a pseudo-likelihood, while its gradient is that of the likelihood; use a rule such as adam(), or pseudoLikelihood()`,
      "RULE_CAPABILITY",
    );
  if (rule.kind === "equation" || !algorithm.draws) return { algorithm, rule, ...rest };
  throw new CapabilityError(
    "fit",
    `${rule.name}() compares losses, but the losses of ${algorithm.name}() are random; use a rule such as adam()`,
    "RULE_CAPABILITY",
  );
}

/** Returns the recipe in a checkpoint. @throws DataError if the checkpoint belongs to another graph */
export async function recipeFrom(
  from: string | Uint8Array | Blob,
  graph: FactorGraph,
  { epochs, until, workers }: { epochs?: number; until?: Until; workers?: number },
): Promise<GraphRecipe> {
  const { checkpoint, kept } = await readCheckpointOf(from, "learning");
  return fromCheckpoint(() => {
    const part = new KeptPart("learning", { tensors: {}, state: kept });
    const plan = new KeptPart("the plan of learning", { tensors: {}, state: part.object("plan") });
    const [given, wanted] = [factsOf(graph.conditionals()), part.object("graph")];
    if (JSON.stringify(given) !== JSON.stringify(wanted))
      throw new DataError(
        "fit.resume",
        `the checkpoint is of another graph (${JSON.stringify(wanted)}, here ${JSON.stringify(given)}); give the graph and evidence from which it was made`,
        "CHECKPOINT_MODEL",
      );
    const stopping = epochs === undefined && until === undefined ? { until: part.object("until") as Until } : { epochs, until };
    return recipeOf(
      {
        algorithm: learnerFromJson(part.object("algorithm")),
        rule: ruleFromJson(part.object("rule") as unknown as RuleJson),
      },
      {
        ...{ l1: plan.number("l1", 0), l2: plan.number("l2", 0), heldOut: plan.number("heldOut", 0) },
        unpenalised: unpenalisedKept(plan, graph.weightCount),
        plan: { seed: plan.count("seed"), ...lanesKept(plan, workers) },
        begun: plan.count("begun"),
        ...{ checkpoint, stopping: resolveStopping("fit.resume", stopping, false) },
      },
    );
  });
}

/** Returns the indices of the weights without a penalty. Older checkpoints do not have this list. */
function unpenalisedKept(plan: KeptPart, weightCount: number): number[] {
  if (plan.state.unpenalised === undefined) return [];
  const found = plan.list("unpenalised", isWhole);
  const outside = found.find((weight) => weight >= weightCount);
  return outside === undefined ? found : plan.refuse(`unpenalised has the weight ${outside}, but there are ${weightCount}`);
}

/**
 * Returns the execution options stored in a checkpoint. With racing workers, each worker takes its own sequence of
 * steps, so the number of workers is part of the run.
 */
function lanesKept(plan: KeptPart, workers: number | undefined): GraphPlan {
  // Older checkpoints do not store it.
  if (plan.state.replicas === undefined) return { workers };
  const how = { averageEvery: plan.number("averageEvery", 0), deterministic: plan.flag("deterministic") };
  if (plan.state.replicas !== "shared") return { ...how, workers, replicas: plan.count("replicas", 1) };
  const raced = plan.count("workers", 1, 1024);
  if (workers === undefined || workers === raced) return { ...how, workers: raced, replicas: "shared" };
  throw new CapabilityError(
    "fit.resume",
    `workers is ${workers}, but ${raced} workers shared the weights in this run; leave workers out`,
    "CHECKPOINT_PLAN",
  );
}

/** Final state of a learning run. */
export interface Ended {
  /** The graph as given. */
  readonly whole: FactorGraph;
  /** The graph without the held-out evidence. */
  readonly shown: FactorGraph;
  readonly heldOut: HeldOut;
  readonly particles?: EndedParticles;
}

/** A run that has started. */
export interface Begun {
  readonly progression: Progression;
  /** Contents of a checkpoint. */
  readonly json: JsonObject;
  /** Returns the parts of the result once the run has ended. */
  ended(run: RunSummary): Ended;
  /** Returns reasons to doubt the weights. */
  findings(weights: Float64Array): Promise<readonly Finding[]>;
}

/**
 * Starts a learning run.
 *
 * @throws the reason of an aborted `signal`, because starting can take long for a large graph
 */
export async function begin(
  graph: FactorGraph,
  { algorithm, rule, l1, l2, unpenalised, heldOut: share, plan: given, stopping, from, begun, checkpoint }: GraphRecipe,
  signal?: AbortSignal,
): Promise<Begun> {
  const { seed } = given;
  // The graph is copied, so that later observations do not affect the copy.
  const complete = graph.withoutEvidence([]);
  const heldOut = drawHeldOut(graph, share, seed);
  const shown = graph.withoutEvidence(heldOut.map(({ variable }) => variable));
  const whole = await inTurns(graph.columning(), signal);
  const seen = heldOut.length === 0 ? whole : await inTurns(shown.columning(), signal);
  const columns = from ? { ...seen, weightValues: weightsFrom(from, graph, seen) } : seen;
  checkLearnable(columns, rule);
  const engine = await openEngine({ families: ["graphs", "training"], deterministic: given.deterministic === true });
  const plan = planOf(algorithm, given, engine);
  const { workers, replicas, averageEvery, deterministic } = plan;
  const laneCount = replicas === "shared" ? workers : replicas;
  const observed = Array.from(whole.observed.keys()).filter((variable) => whole.observed[variable] >= 0);
  const islands = algorithm.draws ? await islandFindings(graph.withoutEvidence(observed), shown, seen) : [];
  const learning = { seed, workers, deterministic, memory: MEMORY, begun, ...startOf(from, columns) };
  const lanes = Array.from(
    { length: laneCount },
    (_, number): LearningPlan => (laneCount > 1 ? { ...learning, lane: { number, count: laneCount } } : learning),
  );
  const objectives = await objectivesOf(algorithm, columns, lanes, engine, signal);
  const free = Float64Array.from(columns.weightFixed, (fixed) => 1 - fixed);
  const penalised = free.slice();
  for (const weight of unpenalised) penalised[weight] = 0;
  const penalty: Penalty = {
    ...{ l1, l2, group: 0, weights: penalised, groups: [] },
    ...{ nonNegative: false, outputs: 1, stride: free.length },
  };
  const how = { penalty, rates: free, precision: "f64", workers, deterministic } as const;
  const racing = replicas === "shared" && laneCount > 1;
  const progression =
    laneCount > 1 && rule.kind === "equation"
      ? new FullLanes({ ...how, objectives, rule, racing, averageEvery }, engine)
      : fullDescent({ ...how, objective: objectives[0], rule }, engine);
  const json: JsonObject = {
    graph: factsOf(whole),
    algorithm: algorithm.toJSON(),
    rule: rule.toJSON() as unknown as JsonObject,
    plan: {
      l1,
      l2,
      ...(unpenalised.length > 0 ? { unpenalised: [...unpenalised] } : {}),
      heldOut: share,
      seed,
      begun,
      replicas,
      averageEvery,
      deterministic,
      ...(replicas === "shared" ? { workers } : {}),
    },
    until: stopping.until as JsonObject,
  };
  // A checkpoint of a continued run does not contain the weights at which the earlier run started.
  const start = checkpoint && begun > 0 ? undefined : columns.weightValues;
  const findings = async (weights: Float64Array): Promise<readonly Finding[]> => [
    ...(racing ? [raced(laneCount)] : []),
    ...islands,
    ...(objectives[0].findings ?? []),
    ...(start ? await worse(objectives[0], penalty, start, weights) : []),
    ...(await inTurns(evidenceFindings(columns, weights, weightNames(graph), penalty), signal)),
  ];
  const ended = (run: RunSummary): Ended => {
    const chains = objectives.flatMap((objective) => objective.particles?.() ?? []);
    const particles = {
      ...{ clamped: chains.flatMap(({ clamped }) => clamped), free: chains.flatMap(({ free: all }) => all) },
      updates: begun + run.epochs,
    };
    return { whole: complete, shown, heldOut, ...(chains.length > 0 ? { particles } : {}) };
  };
  return { progression, json, ended, findings };
}

/** Creates an objective per lane. If the signal aborts, frees the memory of the objectives already created. */
async function objectivesOf(
  algorithm: GraphLearner,
  columns: Conditionals,
  lanes: readonly LearningPlan[],
  engine: Engine,
  signal: AbortSignal | undefined,
): Promise<GraphObjective[]> {
  const objectives: GraphObjective[] = [];
  try {
    for (const lane of lanes)
      objectives.push(
        algorithm.making
          ? await inTurns(algorithm.making(columns, lane, engine), signal)
          : algorithm.objective(columns, lane, engine),
      );
    return objectives;
  } catch (error) {
    for (const one of objectives) one.dispose();
    throw error;
  }
}

/** @throws CapabilityError if `replicas` is given for an exact gradient */
function planOf({ name, draws }: GraphLearner, given: PlanOptions, engine: Engine): Plan {
  const { replicas = 1 } = given;
  if (!draws && replicas !== 1)
    throw new CapabilityError(
      "fit",
      `replicas is ${JSON.stringify(replicas)}, but ${name}() computes a single gradient, so there is nothing to average or race on; leave replicas out, or use contrastiveDivergence()`,
      "PLAN_MEANING",
    );
  return resolvePlan("fit", given, engine.describe(), { batch: "all", draws });
}

/** Reports a finding if the loss, including penalties, is worse at the end than at the start. */
async function worse(objective: GraphObjective, penalty: Penalty, start: Float64Array, end: Float64Array): Promise<Finding[]> {
  const compared = await objective.compare(start, end);
  const [before, after] = [start, end].map((x) => penaltyAt(penalty, x));
  return worseFindings({ ...compared, start: compared.start + before, end: compared.end + after }, lossOf(objective));
}

/** Reports weights that the evidence does not determine, or for which it has no finite best value. */
function* evidenceFindings(
  columns: Conditionals,
  values: Float64Array,
  nameOf: (weight: number) => string,
  { l1, l2, weights: penalised }: Penalty,
): Generator<void, Finding[]> {
  const hasEvidence = yield* partsWithEvidence(columns);
  const isBounded = (weight: number): boolean => (l1 > 0 || l2 > 0) && penalised[weight] > 0;
  const unlabelled = unlabelledFindings(columns, hasEvidence, nameOf);
  return [...unlabelled, ...(yield* separableFindings(columns, values, { hasEvidence, isBounded, nameOf }))];
}

const lossOf = ({ waits }: GraphObjective): string => `−ln of the ${waits ? "" : "pseudo-"}likelihood per observed variable`;

const weightNames =
  (graph: FactorGraph) =>
  (weight: number): string =>
    JSON.stringify(graph.weightState(weight).name ?? weight);

const raced = (count: number): Finding => ({
  code: "racing",
  serious: true,
  text: `${count} workers raced on one vector of weights, with gradients that were about ${count - 1} updates old: this biases the weights by an unknown amount, and another run gives different weights`,
  advice: `use replicas: ${count}, which are averaged and give the same weights in every run`,
});

function drawHeldOut(graph: FactorGraph, share: number, seed: number): HeldOut {
  const found: { variable: number; state: number }[] = [];
  if (share === 0) return found;
  const draws = stream(seed, "held-out evidence").at(0);
  for (let variable = 0; variable < graph.variableCount; variable++) {
    const state = graph.observedState(variable);
    if (state >= 0 && draws.uniform() < share) found.push({ variable, state });
  }
  return found;
}

function checkLearnable({ observed, labels, weightFixed }: Conditionals, rule: EquationRule | HostRule): void {
  if (labels && rule.kind === "host")
    throw new CapabilityError(
      "fit",
      `${rule.name}() compares losses, but labels with probabilities are drawn again for each loss; use a rule such as adam()`,
      "RULE_CAPABILITY",
    );
  if (!weightFixed.includes(0))
    throw new DataError(
      "fit",
      'the graph has no weight to learn; give factors a weight by its name, graph.weight("name"), instead of a number',
      "GRAPH_WEIGHTS",
    );
  if (!labels && observed.every((state) => state < 0))
    throw new DataError(
      "fit",
      "no variable was observed; give observations with graph.observe(), or labels to a query of the knowledge base",
      "GRAPH_EVIDENCE",
    );
}
