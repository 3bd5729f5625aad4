import type { Certificate, Conditionals, EndedChains, JsonObject, Snapshot } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Component } from "./reduction.ts";

/**
 * What is asked of a graph: probabilities of each variable's states; ln of the sum over all states of the factors' product; a
 * state with the largest product.
 */
export type InferenceTask = "marginals" | "partition" | "map";

/** How inference executes. */
export interface InferencePlan {
  /** What is asked for. */
  readonly task: InferenceTask;
  /** Seed of all random numbers. */
  readonly seed: number;
  /** Threads; answers do not depend on them. */
  readonly workers: number;
  /** Bytes that tables may take. */
  readonly memory: number;
  /** Nothing may depend on timing. */
  readonly deterministic?: boolean;
  /** Seconds that the run may take, where that is limited. */
  readonly seconds?: number;
  /** Where chains begin, of algorithms that have some. */
  readonly from?: EndedChains;
}

/** The best answer so far about one connected part. Variables are numbered as the part numbers them; values are of the product of its tables. */
export interface PartAnswer {
  /** ln Z, for "partition", and for "marginals" where it is known as well. `error`: its standard error, of an estimate by annealed importance sampling. */
  readonly logZ?: { readonly value: number; readonly certificate: Certificate; readonly error?: number };
  /** By variable, probabilities of its states, and what is known of them. */
  readonly marginals?: readonly { readonly p: Float64Array; readonly certificate: Certificate }[];
  /** Whether the marginals are uniform only because nothing has been found yet. */
  readonly blank?: boolean;
  /** States, ln of their product of tables, and the least that is proved to be an upper bound of all such values (the value itself: optimal). */
  readonly map?: { readonly states: Int32Array; readonly value: number; readonly bound?: number };
  /** Of chains of single variables' changes. */
  readonly chains?: EndedChains;
  /** What was done and why, as what follows a colon: "a junction tree of 41 cliques, the largest of 2^19 states". */
  readonly method: string;
}

/** Inference on one connected part, under way. Its path depends on the part, the plan and how often it was advanced, never on time. */
export interface PartInference {
  /** True once nothing would change any more. */
  readonly ended: boolean;
  /** A stretch of work, of about a millisecond to ten. */
  advance(): Promise<void>;
  /** The best answer so far; undefined while there is none. */
  answer(): PartAnswer | undefined;
  /** The same, yielding every few milliseconds, of those that answer about large graphs. */
  answering?(): Generator<void, PartAnswer | undefined>;
  /** What a tick says of it. */
  report(): Record<string, number>;
  /** What it takes to continue: never tables. A part may continue from an earlier point than this one. */
  snapshot(): Snapshot;
  /** Continues from a snapshot. */
  restore(snapshot: Snapshot): void;
  /** Gives memory back. */
  dispose(): void;
}

/** HOW a graph is inferred from: as elimination() and its kind make it. */
export interface InferenceAlgorithm {
  /** Its name, as its JSON has it. */
  readonly name: string;
  /** The verb that it is for. */
  readonly verb: "infer";
  /** What it can answer. */
  readonly tasks: readonly InferenceTask[];
  /** JSON from which the registry makes the same algorithm again. */
  toJSON(): JsonObject;
  /** What is worked out about a part before `start`, where that takes long for large ones. It yields every few milliseconds. */
  prepare?: ((part: Component) => Generator<void, unknown>) | undefined;
  /**
   * A run on one connected part of a graph, reduced (reduction.ts).
   *
   * @throws CapabilityError where the part is beyond it
   */
  start(part: Component, plan: InferencePlan, engine: Engine): PartInference;
  /** Variables from which on `startWhole` is taken; absent: any number. */
  readonly wholeFrom?: number;
  /** A run on a whole graph without zeros, whose factors are given in columns: for those who work on graphs of any size. */
  startWhole?(columns: Conditionals, plan: InferencePlan, engine: Engine): PartInference;
}
