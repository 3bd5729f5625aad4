import type { JsonObject } from "../contract/index.ts";
import { type Job, Run } from "./run.ts";

/**
 * A model that names its trainer. Programs that only sample or infer from the model then do not bundle the trainer's
 * code.
 */
export interface TrainedBy<A extends readonly unknown[], P> {
  readonly trainable: {
    /** Key in the table of join/fit.ts. */
    readonly by: "graph" | "mode";
    /** For types only: the arguments of `fit` after the model, and its result. */
    readonly fits?: (...args: A) => P;
  };
}

/** Returns the name of a model's trainer; undefined for models that carry their own trainer. */
export function trainedBy(model: unknown): string | undefined {
  const { trainable } = Object(model) as { trainable?: { by?: unknown } };
  return typeof trainable?.by === "string" ? trainable.by : undefined;
}

/** Returns a run that first loads the code of its job. */
export function laterRun<R>(
  load: () => Promise<Job<R>>,
  { signal, resultNames }: Pick<Job<R>, "resultNames"> & { readonly signal?: AbortSignal | undefined },
): Run<R> {
  let job: Job<R>;
  return new Run<R>({
    ...(signal ? { signal } : {}),
    ...(resultNames ? { resultNames } : {}),
    start: async () => {
      job = await load();
      return job.start();
    },
    finish: (parameters, summary) => job.finish(parameters, summary),
    keep: (snapshot, loop: JsonObject) => job.keep(snapshot, loop),
  });
}
