/** Messages between a page and the thread of `ergodic/worker`. */

import type { JsonObject, Tick } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import type { SentError } from "../../engine/errors/sent-errors.ts";

/** Names of the calls that a thread executes. */
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
  /** Imports the user's module, for `exported()`. */
  | { readonly kind: "module"; readonly url: string }
  | { readonly kind: "run"; readonly id: number; readonly verb: VerbName; readonly args: readonly unknown[] }
  | { readonly kind: "stop" | "pause" | "proceed" | "abort"; readonly id: number; readonly reason?: string }
  | { readonly kind: "checkpoint"; readonly id: number; readonly request: number }
  /** Data or runs that the page no longer refers to. */
  | { readonly kind: "forget"; readonly data?: number; readonly run?: number };

export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "chosen"; readonly id: number; readonly chosen: JsonObject }
  | { readonly kind: "tick"; readonly id: number; readonly tick: Tick }
  | { readonly kind: "done"; readonly id: number; readonly result: Sent }
  | { readonly kind: "failed"; readonly id: number; readonly failure: SentError }
  | { readonly kind: "kept"; readonly request: number; readonly bytes?: Uint8Array; readonly failure?: SentError };

/** Value with a tag that determines how the other side rebuilds the value. */
export interface Sent {
  readonly made: string;
  readonly from: unknown;
}

export const notBegun = (): ErgodicError =>
  new ErgodicError("checkpoint", "the run could not begin, so there is nothing to keep", "RUN_FAILED");
