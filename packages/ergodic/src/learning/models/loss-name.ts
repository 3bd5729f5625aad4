/** Types for the names of the built-in losses, and for their kinds of predictions. */
import type { LossFactory, Task } from "./loss.ts";
import type * as losses from "./losses/index.ts";

/** Kind of prediction that a model makes, by the task of its loss. */
export interface KindByTask {
  binary: "class";
  multiclass: "class";
  regression: "number";
  count: "count";
}

type Library = (typeof losses)[keyof typeof losses];
// biome-ignore lint/suspicious/noExplicitAny: options of each loss
type NameOf<F> = F extends LossFactory<any, Task, infer N> ? N : never;
// biome-ignore lint/suspicious/noExplicitAny: options of each loss
type TaskOf<F> = F extends LossFactory<any, infer T> ? T : never;

/** Kind of prediction of each built-in loss, by name. */
export type KindByLoss = { [F in Library as NameOf<F>]: KindByTask[TaskOf<F>] };

/** Names of the built-in losses. A loss defined by loss() is passed as the result of its factory. */
export type LossName = keyof KindByLoss;
