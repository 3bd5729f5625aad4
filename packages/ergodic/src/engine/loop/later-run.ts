import type { JsonObject } from "../contract/index.ts";
import { type Job, Run } from "./run.ts";

/**
 * A model that names its trainer. The name lets programs that only sample or infer from the model omit the trainer's
 * code from their bundles.
 */
export interface TrainedBy<A extends readonly unknown[], P> {
  readonly trainable: {
    /** Key in the table of join/fit.ts. */
    readonly by: "graph" | "mode";
    /** Only for types: the arguments of `fit` that follow the model, and the result of `fit`. */
    readonly fits?: (...args: A) => P;
  };
}

/** Returns the name of a model's trainer, or undefined if the model includes its own trainer. */
export function trainedBy(model: unknown): string | undefined {
  const { trainable } = Object(model) as { trainable?: { by?: unknown } };
  return typeof trainable?.by === "string" ? trainable.by : undefined;
}

/** Returns a run that loads the code of its job first. */
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
