import type { SamplingPlan } from "../base/sampler.ts";
import type { StepSchedule } from "./step-schedule.ts";

const UPDATES_A_SAMPLE = 10;
const SPREAD = 128;

/**
 * Indices of the transitions after which samples are taken. At first, a sample is taken every UPDATES_A_SAMPLE updates,
 * which adds one gradient per ten gradients. Later, samples become rarer: after a sample at draw t, the next sample is
 * taken t / SPREAD draws later. A longer run begins with the transitions that a shorter run has. No samples are taken
 * in warm-up.
 */
export function sampledTransitions({ warmup, draws }: SamplingPlan, { updatesBefore }: StepSchedule): number[] {
  const at: number[] = [];
  for (let t = 0; ; ) {
    let length = Math.max(1, Math.floor(t / SPREAD));
    while (t + length <= draws && updatesBefore(warmup + t + length) - updatesBefore(warmup + t) < UPDATES_A_SAMPLE) length++;
    t += length;
    if (t > draws) return at;
    at.push(warmup + t);
  }
}
