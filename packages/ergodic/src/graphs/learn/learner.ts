import type { Conditionals, JsonObject } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import type { Compared } from "../../engine/errors/worse.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { FullObjective } from "../../engine/optimise/objective.ts";

/**
 * Final chain states of a learner: chains with the evidence (`clamped`) and the model's chains (`free`). Each array
 * contains the state of every variable.
 */
export interface EndedParticles {
  readonly clamped: readonly Uint8Array[];
  readonly free: readonly Uint8Array[];
  /** Total number of updates, including earlier runs. */
  readonly updates: number;
}

/** Execution settings of a learner. */
export interface LearningPlan {
  /** Seed of all random numbers. */
  readonly seed: number;
  /** Number of threads. The result does not depend on this number. */
  readonly workers: number;
  /**
   * Identifies one of several lanes. A lane is an averaged replica or a racing worker. A lane has its own chains and
   * uses one worker at a time.
   */
  readonly lane?: { readonly number: number; readonly count: number };
  /** Whether to use kernels that give the same bits on every host. Default false. */
  readonly deterministic?: boolean;
  /** Memory limit in bytes for the tables of exact learners. */
  readonly memory: number;
  /** Initial chain states, for learners with chains. */
  readonly from?: Pick<EndedParticles, "clamped" | "free">;
  /** Number of updates made by earlier runs, so that later updates use different random numbers. Default 0. */
  readonly begun?: number;
}

/** Loss of a graph as a function of its weights. */
export interface GraphObjective extends FullObjective {
  /** Returns the current chain states, if the learner has chains. */
  particles?(): Omit<EndedParticles, "updates">;
  /**
   * Compares the loss at two points after the run has ended. Learners that cannot compute the loss compare the
   * pseudo-likelihood of the evidence.
   */
  compare(start: Float64Array, end: Float64Array): Promise<Compared>;
  /** Reasons to doubt the weights, regardless of their values. */
  readonly findings?: readonly Finding[];
}

/** A method of learning the weights of a graph, such as contrastiveDivergence(). */
export interface GraphLearner {
  /** Name of the learner, as in its JSON. */
  readonly name: string;
  /** Returns JSON from which the registry recreates the learner. */
  toJSON(): JsonObject;
  /**
   * Whether the gradient is a random estimate. If the gradient is random, rules that compare losses (such as line
   * searches) cannot be used.
   */
  readonly draws: boolean;
  /** Creates the objective of a graph with evidence: its loss and gradient, both per observed variable. */
  objective(columns: Conditionals, plan: LearningPlan, engine: Engine): GraphObjective;
  /** Same as `objective`, but yields every few milliseconds. Present if starting on a large graph takes long. */
  making?(columns: Conditionals, plan: LearningPlan, engine: Engine): Generator<void, GraphObjective>;
}

/** Returns the number of variables that are observed or have labels. Losses are divided by this number. At least 1. */
export const evidenceOf = ({ observed, labels }: Conditionals): number =>
  Math.max(1, observed.reduce((sum, state) => sum + (state < 0 ? 0 : 1), 0) + (labels?.size ?? 0));

/**
 * @throws DataError because the evidence or labels have probability 0. `seen` is false if no state is possible even
 * without evidence and labels
 */
export function refuseImpossible(seen = true): never {
  throw new DataError(
    "fit",
    seen
      ? "the evidence has probability 0 under this graph, whatever its weights; correct the evidence or labels, or the factors that forbid them"
      : "no state of this graph is possible, whatever its weights and evidence; correct factors whose zeros contradict each other, or a table that is 0 everywhere",
    "GRAPH_IMPOSSIBLE",
  );
}
