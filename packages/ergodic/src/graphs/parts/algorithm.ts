import type { Certificate, Conditionals, EndedChains, JsonObject, Snapshot } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Component } from "./reduction.ts";

/**
 * Inference task: the probabilities of each variable's states; ln Z, where Z is the sum of the factors' product over
 * all states; or a state with the largest product.
 */
export type InferenceTask = "marginals" | "partition" | "map";

/** Execution settings of inference. */
export interface InferencePlan {
  /** Task to perform. */
  readonly task: InferenceTask;
  /** Seed of all random numbers. */
  readonly seed: number;
  /** Number of threads. Answers do not depend on this number. */
  readonly workers: number;
  /** Memory limit for tables, in bytes. */
  readonly memory: number;
  /** Whether nothing may depend on timing. */
  readonly deterministic?: boolean;
  /** Time limit of the run in seconds, if there is one. */
  readonly seconds?: number;
  /** Initial chain states, for algorithms with chains. */
  readonly from?: EndedChains;
}

/**
 * Best answer so far about one connected part. Variables have the numbers of the part, and values refer to the product
 * of the part's tables.
 */
export interface PartAnswer {
  /**
   * ln Z, for "partition", and for "marginals" if it is known too. `error` is the standard error of an estimate by
   * annealed importance sampling.
   */
  readonly logZ?: { readonly value: number; readonly certificate: Certificate; readonly error?: number };
  /** Probabilities of each variable's states, with a certificate. */
  readonly marginals?: readonly { readonly p: Float64Array; readonly certificate: Certificate }[];
  /** Whether the marginals are uniform only because nothing has been found yet. */
  readonly blank?: boolean;
  /**
   * Joint state, ln of the tables' product at this state (`value`), and smallest proved upper bound on all values
   * (`bound`). The state is optimal if both are equal.
   */
  readonly map?: { readonly states: Int32Array; readonly value: number; readonly bound?: number };
  /** Final states of the chains, for Gibbs sampling. */
  readonly chains?: EndedChains;
  /**
   * Method and the reason for choosing it, as a phrase that fits after a colon: "a junction tree of 41 cliques, the
   * largest of 2^19 states".
   */
  readonly method: string;
}

/**
 * A run of inference on one connected part. The results of a run depend on the part, the plan and the number of
 * `advance` calls, never on time.
 */
export interface PartInference {
  /** Whether further work would change nothing. */
  readonly ended: boolean;
  /** Performs a stretch of work of about one to ten milliseconds. */
  advance(): Promise<void>;
  /** Returns the best answer so far, or undefined if there is none. */
  answer(): PartAnswer | undefined;
  /** Same as `answer()`, but yields every few milliseconds. Present in algorithms for large graphs. */
  answering?(): Generator<void, PartAnswer | undefined>;
  /** Returns statistics for a tick. */
  report(): Record<string, number>;
  /** Returns the state needed to continue, without tables. The snapshot can describe an earlier point in the run. */
  snapshot(): Snapshot;
  /** Continues from a snapshot. */
  restore(snapshot: Snapshot): void;
  /** Frees memory. */
  dispose(): void;
}

/** A method of inference on a graph, such as elimination(). */
export interface InferenceAlgorithm {
  /** Name of the algorithm, as in its JSON. */
  readonly name: string;
  /** Verb that the algorithm implements. */
  readonly verb: "infer";
  /** Tasks that it supports. */
  readonly tasks: readonly InferenceTask[];
  /** Returns JSON from which the registry recreates the algorithm. */
  toJSON(): JsonObject;
  /** Prepares a part before `start`, if such preparation takes long for large parts. Yields every few milliseconds. */
  prepare?: ((part: Component) => Generator<void, unknown>) | undefined;
  /**
   * Starts a run on one connected part of a reduced graph (reduction.ts).
   *
   * @throws CapabilityError if the algorithm cannot handle the part
   */
  start(part: Component, plan: InferencePlan, engine: Engine): PartInference;
  /** Number of variables from which `startWhole` is used. Default: any number. */
  readonly wholeFrom?: number;
  /**
   * Starts a run on a whole graph without zeros. The factors are given in columns. Present in algorithms that handle
   * graphs of any size.
   */
  startWhole?(columns: Conditionals, plan: InferencePlan, engine: Engine): PartInference;
}
