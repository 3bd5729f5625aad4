/** Names of this library's losses, and what each predicts, for the compiler. */
import type { LossFactory, Task } from "./loss.ts";
import type * as losses from "./losses/index.ts";

/** What models with a loss of that task predict. */
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

/** What each loss of this library predicts, by its name. */
export type KindByLoss = { [F in Library as NameOf<F>]: KindByTask[TaskOf<F>] };

/** Names of this library's losses. A loss that you define by loss() is given as what its factory makes. */
export type LossName = keyof KindByLoss;
