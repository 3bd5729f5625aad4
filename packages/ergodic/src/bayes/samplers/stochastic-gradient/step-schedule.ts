/**
 * Step sizes of stochastic-gradient Monte Carlo for each update, and the number of updates per transition.
 *
 * Constant: h. Decreasing: h_k = initial (1 + k/offset)^−power, k = 0, 1, …; with power in (½, 1] the bias vanishes in
 * the limit. Draws are not weighted by their step sizes. The step sizes are stored with the transitions.
 *
 * Cyclical (Zhang et al. 2020): h_k = h/2 [cos(π (k mod C)/C) + 1], where C = `length` is the number of updates per
 * cycle (⌈K/M⌉ there). The first ⌊exploration C⌋ updates of a cycle have no noise and give no draw. The other updates
 * are divided into `draws` parts, and each part ends with a draw. A transition leads from one draw to the next, so the
 * first transition of each cycle includes the exploration.
 *
 * @throws OptionError unless h, offset > 0, power >= 0, thin >= 1, 0 <= exploration < 1, and a cycle has as many
 *   updates with noise as draws
 */

import { checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import type { Accepted } from "../../../engine/errors/options.ts";
import { cosineSine } from "../../../engine/numbers/cosine-sine.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import { log } from "../../../engine/numbers/log.ts";

/** A decreasing step size: h_k = initial (1 + k/offset)^−power at update k = 0, 1, … */
export interface StepDecay {
  /** Initial step size, > 0, in squared units of x. */
  initial: number;
  /** Offset in updates, > 0. */
  offset: number;
  /** Exponent of the decay, >= 0. In (½, 1] the bias vanishes in the limit. */
  power: number;
}

/** Cyclical step sizes: h_k = h/2 (cos(π (k mod length)/length) + 1). Zhang et al. 2020. */
export interface CycleOptions {
  /** Number of updates per cycle, a whole number from 1 to 2²⁴. */
  length: number;
  /** Number of draws per cycle. Default 1; at most the number of updates with noise. */
  draws?: number;
  /** Share of a cycle, at its start, during which there is no noise, in [0, 1). Default 0.8. */
  exploration?: number;
}

/** Step sizes of the stochastic-gradient samplers, and the number of updates per transition. */
export interface ScheduleOptions {
  /**
   * Step size h, in squared units of x: a number > 0, or a decreasing StepDecay. Default "auto": determined before the
   * first transition, so that standard deviations have a relative error of about 0.05. With `cycle`, h is the largest
   * step of a cycle.
   */
  stepSize?: number | StepDecay | "auto";
  /**
   * Number of updates per transition, a whole number from 1 to 2²⁴. It cannot be combined with `cycle`. Default with
   * `stepSize: "auto"`: the relaxation time of the slowest direction at the mode, at most 1024. Otherwise 1.
   */
  thin?: number;
  /** Cyclical step sizes; they replace `thin`. Default: none. */
  cycle?: CycleOptions;
}

export interface StepSchedule {
  /** Number of updates made before transition t. */
  updatesBefore(t: number): number;
  /** Whether step sizes are relative to a unit that is not known yet. */
  readonly auto: boolean;
  /** Makes the schedule with another number of updates per transition. Present if `thin` is left to the run. */
  withThin?(thin: number): StepSchedule;
  /** Whether some parts of the run have no noise. */
  readonly cyclical: boolean;
  /** Maximum number of updates in a transition. */
  readonly mostUpdates: number;
  stepSize(update: number): number;
  /** Factor by which the noise is multiplied: 0 or 1. */
  temperature(update: number): number;
  /** All options as JSON. */
  readonly json: {
    stepSize: number | "auto" | { initial: number; offset: number; power: number };
    thin?: number;
    cycle?: Required<CycleOptions>;
  };
}

const isDecay = (stepSize: unknown): stepSize is StepDecay => typeof stepSize === "object" && stepSize !== null;

const positive = { low: 0, open: true };
const cycleOptions = {
  length: { low: 1, high: 2 ** 24, integer: true },
  draws: { low: 1, high: 2 ** 24, integer: true },
  exploration: { low: 0, high: 1 - 2 ** -20 },
};

/** Values that the options of step sizes accept. */
export const scheduleOptions = {
  stepSize: {
    either: [
      ["auto"],
      { options: { initial: positive, offset: positive, power: { low: 0 } }, required: ["initial", "offset", "power"] },
      positive,
    ],
  },
  thin: { low: 1, high: 2 ** 24, integer: true },
  cycle: { options: cycleOptions, required: ["length"] },
} as const satisfies Accepted;

export function stepSchedule(where: string, { stepSize = "auto", thin, cycle }: ScheduleOptions): StepSchedule {
  if (cycle === undefined) {
    if (thin !== undefined || stepSize !== "auto") return steady(stepSize, thin ?? 1);
    return { ...steady(stepSize, 1), json: { stepSize }, withThin: (found) => steady(stepSize, found) };
  }
  if (thin !== undefined || isDecay(stepSize))
    throw new OptionError(
      where,
      `cycle is given with ${thin === undefined ? "a decreasing stepSize" : "thin"}, but a cycle already sets how steps change and which draws are stored; leave one of the two out`,
      "OPTION_CONFLICT",
    );
  return cyclical(`${where}.cycle`, stepSize, cycle);
}

function steady(stepSize: number | StepDecay | "auto", thin: number): StepSchedule {
  const decay = isDecay(stepSize) ? stepSize : undefined;
  const constant = typeof stepSize === "number" ? stepSize : 1;
  return {
    auto: stepSize === "auto",
    cyclical: false,
    updatesBefore: (t) => t * thin,
    mostUpdates: thin,
    stepSize: decay ? (update) => decay.initial * exp(-decay.power * log(1 + update / decay.offset)) : () => constant,
    temperature: () => 1,
    json: {
      stepSize: decay ? { initial: decay.initial, offset: decay.offset, power: decay.power } : (stepSize as number | "auto"),
      thin,
    },
  };
}

function cyclical(where: string, stepSize: number | "auto", options: CycleOptions): StepSchedule {
  const { length, draws = 1, exploration = 0.8 } = options;
  const explored = Math.floor(exploration * length);
  const noisy = length - explored;
  checkNumber(where, "draws", draws, { low: 1, high: noisy, integer: true });
  const ends = (j: number): number => (j === 0 ? 0 : explored + Math.floor((j * noisy) / draws));
  const angle = new Float64Array(2);
  const largest = stepSize === "auto" ? 1 : stepSize;
  return {
    auto: stepSize === "auto",
    cyclical: true,
    updatesBefore: (t) => Math.floor(t / draws) * length + ends(t % draws),
    mostUpdates: explored + Math.ceil(noisy / draws),
    stepSize(update) {
      cosineSine((Math.PI * (update % length)) / length, 1, angle, 0);
      return (largest / 2) * (angle[0] + 1);
    },
    temperature: (update) => (update % length < explored ? 0 : 1),
    json: { stepSize, cycle: { length, draws, exploration } },
  };
}
