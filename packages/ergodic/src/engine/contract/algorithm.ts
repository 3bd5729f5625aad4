/** Interface of an algorithm, which updates a model. */

import type { Engine } from "../memory/engine.ts";
import type { Family } from "../memory/families.ts";
import type { JsonObject } from "./json.ts";
import type { Plan } from "./plan.ts";
import type { Problem } from "./problem.ts";
import type { Progression } from "./progression.ts";

/** Defaults that an algorithm sets for the plan and for stopping. */
export interface AlgorithmDefaults {
  /** Rows per update. */
  batch?: number | "all";
  /** Order of rows. */
  schedule?: Plan["schedule"];
  /** Type in which the algorithm computes, regardless of the data type. */
  precision?: "f64";
  /** Passes over the data. */
  epochs?: number;
  /**
   * Whether gradients are random estimates even if they use all rows (`batch: "all"`). If so, replicas and racing
   * workers are useful with full gradients too.
   */
  draws?: boolean;
  /** Whether several workers race on one model, if the user does not specify how the workers share the updates. */
  races?: boolean;
}

/** HOW a model is updated. */
export interface Algorithm {
  /** Name of the algorithm, as in its JSON. */
  readonly name: string;
  /** Verb that runs this algorithm. */
  readonly verb: "fit";
  /** Returns JSON from which the registry can rebuild the algorithm. */
  toJSON(): JsonObject;
  /** Defaults for options that the user does not give. */
  readonly defaults?: AlgorithmDefaults;
  /** Kernel families that the algorithm and the problem call. Default: "training", "coordinate" and "hessian". */
  readonly families?: readonly Family[];
  /**
   * Whether the run begins at the problem's starting point. If absent, the algorithm chooses its own starting point.
   * This suits solvers that converge from any point.
   */
  readonly takesStart?: boolean;
  /**
   * Starts a run. Returns a promise if code has to be loaded first.
   * @throws CapabilityError if the problem lacks a required capability or an option of the plan has no meaning here
   */
  start(problem: Problem, plan: Plan, engine: Engine): Progression | Promise<Progression>;
}
