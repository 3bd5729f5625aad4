/** What updates a model. */

import type { Engine } from "../memory/engine.ts";
import type { Family } from "../memory/families.ts";
import type { JsonObject } from "./json.ts";
import type { Plan } from "./plan.ts";
import type { Problem } from "./problem.ts";
import type { Progression } from "./progression.ts";

/** Parts of plan and stopping that suit an algorithm. */
export interface AlgorithmDefaults {
  /** Rows per update. */
  batch?: number | "all";
  /** Order of rows. */
  schedule?: Plan["schedule"];
  /** The algorithm computes in this type whatever the type of the data. */
  precision?: "f64";
  /** Passes over the data. */
  epochs?: number;
  /** Gradients of everything are estimates by draws, so that replicas and racing workers have something to share: `batch: "all"` does not exclude them. */
  draws?: boolean;
}

/** HOW a model is updated. */
export interface Algorithm {
  /** The algorithm's name, as its JSON has it. */
  readonly name: string;
  /** The verb that it is for. */
  readonly verb: "fit";
  /** JSON from which the registry makes the same algorithm again. */
  toJSON(): JsonObject;
  /** What holds where the user says nothing. */
  readonly defaults?: AlgorithmDefaults;
  /** Of the kernels that it and what it needs of problems call. Default: "training" and "coordinate". */
  readonly families?: readonly Family[];
  /** Whether it begins where the problem says. Absent: where it likes, as algorithms do that find a minimum from anywhere. */
  readonly takesStart?: boolean;
  /** Throws CapabilityError when the problem does not offer what is needed or the plan has no meaning for it. A promise where code is loaded for it. */
  start(problem: Problem, plan: Plan, engine: Engine): Progression | Promise<Progression>;
}
