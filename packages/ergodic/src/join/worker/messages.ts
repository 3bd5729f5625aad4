/** What a page and the thread of `ergodic/worker` tell each other. */

import type { JsonObject, Tick } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import type { SentError } from "../../engine/errors/sent-errors.ts";

/** Calls that a thread makes, by name. */
export type VerbName =
  | "fit"
  | "fit.resume"
  | "fit.path"
  | "fit.path.resume"
  | "sample"
  | "sample.resume"
  | "minimize"
  | "minimize.resume"
  | "tune"
  | "tune.resume"
  | "calibrate"
  | "infer"
  | "infer.resume";

export type Request =
  /** Imports a module of the user's, for `exported()`. */
  | { readonly kind: "module"; readonly url: string }
  | { readonly kind: "run"; readonly id: number; readonly verb: VerbName; readonly args: readonly unknown[] }
  | { readonly kind: "stop" | "pause" | "proceed" | "abort"; readonly id: number; readonly reason?: string }
  | { readonly kind: "checkpoint"; readonly id: number; readonly request: number }
  /** Data, and runs, that nobody on the page refers to any more. */
  | { readonly kind: "forget"; readonly data?: number; readonly run?: number };

export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "chosen"; readonly id: number; readonly chosen: JsonObject }
  | { readonly kind: "tick"; readonly id: number; readonly tick: Tick }
  | { readonly kind: "done"; readonly id: number; readonly result: Sent }
  | { readonly kind: "failed"; readonly id: number; readonly failure: SentError }
  | { readonly kind: "kept"; readonly request: number; readonly bytes?: Uint8Array; readonly failure?: SentError };

/** A value with a tag that says what to make of it. */
export interface Sent {
  readonly made: string;
  readonly from: unknown;
}

export const notBegun = (): ErgodicError =>
  new ErgodicError("checkpoint", "the run could not begin, so there is nothing to keep", "RUN_FAILED");
