/** Makes a stochastic-gradient sampler from its rule and options. */
import type { JsonObject } from "../../../engine/contract/index.ts";
import { type EstimateOptions, estimateJson, gradientEstimate } from "../base/gradient-estimate.ts";
import type { Sampler } from "../base/sampler.ts";
import { type ScheduleOptions, stepSchedule } from "./step-schedule.ts";
import type { StochasticRule } from "./stochastic-chain.ts";
import { StochasticRun } from "./stochastic-run.ts";

/** `json`: the sampler's own options. */
export function stochasticSampler(
  name: string,
  options: ScheduleOptions & EstimateOptions,
  rule: StochasticRule,
  json: JsonObject,
): Sampler {
  const schedule = stepSchedule(name, options);
  const estimate = gradientEstimate(name, options);
  return {
    name,
    verb: "sample",
    readsRows: true,
    toJSON: () => ({ algorithm: name, ...schedule.json, ...json, ...estimateJson(estimate) }) as JsonObject,
    start: (density, plan, engine) => new StochasticRun(density, plan, engine, { name, rule, schedule, estimate }),
  };
}
