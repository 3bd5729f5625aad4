import type { Conditionals, JsonObject } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import type { Compared } from "../../engine/errors/worse.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { FullObjective } from "../../engine/optimise/objective.ts";

/** Where the chains of a learner ended: those with the evidence, and the model's. By chain, the states of variables. */
export interface EndedParticles {
  readonly clamped: readonly Uint8Array[];
  readonly free: readonly Uint8Array[];
  /** Updates, from the first on. */
  readonly updates: number;
}

/** How learning executes. */
export interface LearningPlan {
  /** Seed of all random numbers. */
  readonly seed: number;
  /** Threads; what is learnt does not depend on them. */
  readonly workers: number;
  /** One of several lanes (averaged replicas, or racing): its chains are its own, on one worker at a time. */
  readonly lane?: { readonly number: number; readonly count: number };
  /** Kernels that give the same bits on every host. Default false. */
  readonly deterministic?: boolean;
  /** Bytes that tables may take, of what is exact. */
  readonly memory: number;
  /** Where chains begin, of learners that have some. */
  readonly from?: Pick<EndedParticles, "clamped" | "free">;
  /** Updates that were made before the first: what is drawn in them differs. Default 0. */
  readonly begun?: number;
}

/** The loss of a graph's weights. */
export interface GraphObjective extends FullObjective {
  /** Where its chains are, if it has some. */
  particles?(): Omit<EndedParticles, "updates">;
  /** Compares two points, once the run has ended: by the loss itself, or by the pseudo-likelihood of the evidence. */
  compare(start: Float64Array, end: Float64Array): Promise<Compared>;
  /** What of its weights is to be doubted, whatever they are. */
  readonly findings?: readonly Finding[];
}

/** HOW the weights of a graph are learnt: as contrastiveDivergence() and its kind make it. */
export interface GraphLearner {
  /** Its name, as its JSON has it. */
  readonly name: string;
  /** JSON from which the registry makes the same learner again. */
  toJSON(): JsonObject;
  /** The gradient is an estimate by draws: a rule must not compare losses, as line searches do. */
  readonly draws: boolean;
  /** Loss and gradient by the weights, of a graph with evidence: by variable that was observed. */
  objective(columns: Conditionals, plan: LearningPlan, engine: Engine): GraphObjective;
  /** The same, yielding every few milliseconds, of learners that take long to begin with large graphs. */
  making?(columns: Conditionals, plan: LearningPlan, engine: Engine): Generator<void, GraphObjective>;
}

/** Variables that were observed or have labels: what losses are divided by; at least 1. */
export const evidenceOf = ({ observed, labels }: Conditionals): number =>
  Math.max(1, observed.reduce((sum, state) => sum + (state < 0 ? 0 : 1), 0) + (labels?.size ?? 0));

/** @throws DataError for evidence, or labels, of probability 0; `seen`: false for a graph that has no possible state even without them */
export function refuseImpossible(seen = true): never {
  throw new DataError(
    "fit",
    seen
      ? "the evidence has probability 0 under this graph, whatever its weights; correct the evidence or labels, or the factors that forbid them"
      : "no state of this graph is possible, whatever its weights and evidence; correct factors whose zeros contradict each other, or a table that is 0 everywhere",
    "GRAPH_IMPOSSIBLE",
  );
}
