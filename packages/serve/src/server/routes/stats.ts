import { Type } from "@sinclair/typebox";
import { LearningModel } from "../../models/learning-model.ts";
import type { ModelVersion } from "../../repository/model-version.ts";
import type { Routes } from "../context.ts";
import { answers, modelParams } from "./schemas.ts";

/**
 * Routes for statistics of requests. They return the statistics of the protocol's extension, and all statistics under
 * `ergodic`.
 */
export const addStats: Routes = (app, { repository }) => {
  const response = answers(Type.Object({ model_stats: Type.Array(Type.Unknown()) }), 404);
  app.get("/v2/models/stats", { schema: { summary: "Statistics of all models", response } }, () => ({
    model_stats: [...repository].map(statsOf),
  }));
  for (const path of ["/v2/models/:model/stats", "/v2/models/:model/versions/:version/stats"]) {
    app.get<{ Params: { model: string; version?: string } }>(
      path,
      { schema: { summary: "Statistics of a model", params: modelParams, response } },
      ({ params: { model, version } }) => {
        const versions = version === undefined ? repository.versionsOf(model) : [version];
        if (versions.length === 0) repository.get(model);
        return { model_stats: versions.map((one) => statsOf(repository.get(model, one))) };
      },
    );
  }
};

function statsOf({ name, version, served, batches, lastInference, invalid, unknownLevels }: ModelVersion): object {
  const { rejected: _, ...stats } = batches.stats();
  const { answered, refused, cancelled } = stats;
  const { latencyUs, queueUs, computeUs, batchRows } = stats.histograms;
  const took = ({ count, sum }: { count: number; sum: number }) => ({ count, ns: Math.round(1000 * sum) });
  const faults = invalid + stats.failed + cancelled + refused.full + refused.deadline + refused.closed;
  const buckets = Object.fromEntries(Object.entries(batches.histograms).map(([key, histogram]) => [key, histogram.cumulative()]));
  return {
    name,
    version,
    last_inference: lastInference,
    inference_count: stats.rows,
    execution_count: stats.batches,
    inference_stats: {
      success: took(latencyUs),
      fail: { count: faults, ns: 0 },
      queue: took(queueUs),
      compute_input: { count: answered, ns: 0 },
      compute_infer: took(computeUs),
      compute_output: { count: answered, ns: 0 },
    },
    batch_stats: [],
    ergodic: {
      ...stats,
      invalid,
      unknownLevels: Object.fromEntries(unknownLevels),
      histograms: { latencyUs, queueUs, computeUs, batchRows },
      buckets,
      ...(served instanceof LearningModel ? { learning: served.learner.stats() } : {}),
    },
  };
}
