import type { Conditionals, JsonObject } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { FullObjective } from "../gradient/objective.ts";

/** How learning executes. */
export interface LearningPlan {
  /** Seed of all random numbers. */
  readonly seed: number;
  /** Threads; what is learnt does not depend on them. */
  readonly workers: number;
  /** Bytes that tables may take, of what is exact. */
  readonly memory: number;
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
  objective(columns: Conditionals, plan: LearningPlan, engine: Engine): FullObjective;
}

/** Variables that were observed: what losses are divided by. */
export const evidenceOf = ({ observed }: Conditionals): number => observed.reduce((sum, state) => sum + (state < 0 ? 0 : 1), 0);
