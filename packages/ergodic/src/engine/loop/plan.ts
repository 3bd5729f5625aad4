/**
 * Makes the execution plan from the user's options. Adds defaults, and refuses meaningless combinations with a reason.
 *
 * The options trade hardware efficiency against statistical efficiency (DimmWitted). "shared" workers race on one model
 * and lose no update on sparse data. Replicas never wait for each other, and their parameters are averaged. Sharded
 * data is read once per epoch. With replicated data, each replica sees every row.
 *
 * @throws OptionError for a value out of range; CapabilityError for a meaningless combination
 */

import type { AlgorithmDefaults, ElementType, Json, JsonObject, ParameterType, Plan } from "../contract/index.ts";
import { checkBoolean, checkChoice } from "../errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber } from "../errors/errors.ts";
import type { EngineDescription } from "../memory/engine.ts";
import { KeptPart } from "./kept-part.ts";

export interface PlanOptions {
  /**
   * Number of threads. Default 1; a whole number, 1 to 1024. Full gradients are shared among them. Minibatch descent
   * uses only one worker, unless `replicas` says how several workers share the updates.
   */
  workers?: number;
  /**
   * "shared": all workers race on one model. A number: this many copies of the model are trained and averaged. With a
   * number, the result does not depend on the number of workers. The mean of k copies needs a rate k times as high
   * (AdaGrad: √k) to move as far per row as a single model. Default 1, or "shared" for dual coordinate descent with
   * several workers.
   */
  replicas?: "shared" | number;
  /** Whether each replica sees only its own rows ("sharded") or all rows ("replicated"). Default "sharded". */
  data?: "sharded" | "replicated";
  /**
   * Type of the data and of the parameters: "f32", "f64", "i16" or "i8". If parameters are "i16", they must stay within
   * ±16. Default "f32".
   */
  precision?: ElementType | { data?: ElementType; model?: ParameterType };
  /**
   * Order of rows: "shuffled" in each epoch, "replacement" (drawn at random with replacement), "blocks" (adjacent rows
   * stay together in blocks) or "ordered" (as stored). Default "shuffled".
   */
  schedule?: Plan["schedule"];
  /** Number of rows per block, for schedule: "blocks". Default 64; a whole number >= 1. */
  blockRows?: number;
  /**
   * Number of rows per update. With "all", each update uses the full gradient. Default 1 for linear models, 64 for
   * networks.
   */
  batch?: number | "all";
  /** Number of epochs between averages of the replicas, > 0. Fractions are allowed. Default 1. */
  averageEvery?: number;
  /** Whether every host and every number of workers must give the same bits, at some cost in speed. Default false. */
  deterministic?: boolean;
  /** Seed of all random numbers. Default 0; a whole number >= 0. */
  seed?: number;
}

export const planKeys = [
  "workers",
  "replicas",
  "data",
  "precision",
  "schedule",
  "blockRows",
  "batch",
  "averageEvery",
  "deterministic",
  "seed",
];
/**
 * Defaults of options that have no effect without certain other options. A resumed plan contains every option. A
 * default value is treated as if the option were not given.
 */
const inert = { data: "sharded", blockRows: 64, averageEvery: 1 } as const;
const dataTypes = ["f32", "f64", "i16", "i8"] as const;
const schedules: readonly Plan["schedule"][] = ["replacement", "shuffled", "blocks", "ordered"];

export function resolvePlan(
  where: string,
  given: PlanOptions,
  engine: EngineDescription,
  defaults: AlgorithmDefaults,
  /** Type in which the data is stored in memory. */
  stored: ElementType = "f32",
): Plan {
  const { deterministic = false } = given;
  checkBoolean(where, "deterministic", deterministic);
  checkWorkers(where, given.workers);
  const batch = given.batch ?? defaults.batch ?? 1;
  // Minibatch updates are sequential, so one worker makes them unless the user specified how several workers share
  // them.
  const isOneLane = batch !== "all" && given.replicas === undefined && !defaults.races;
  const workers = engine.sharedMemory && !isOneLane ? (given.workers ?? 1) : 1;
  const plan: Plan = {
    workers,
    replicas: given.replicas ?? (workers > 1 && !deterministic && batch !== "all" ? "shared" : 1),
    data: given.data ?? inert.data,
    precision: defaults.precision
      ? arithmetic(where, given.precision, stored)
      : resolvePrecision(where, given.precision ?? "f32"),
    schedule: given.schedule ?? defaults.schedule ?? "shuffled",
    blockRows: given.blockRows ?? inert.blockRows,
    batch,
    averageEvery: given.averageEvery ?? inert.averageEvery,
    deterministic,
    seed: given.seed ?? 0,
  };
  if (plan.replicas !== "shared") checkNumber(where, "replicas", plan.replicas, { low: 1, high: 65536, integer: true });
  if (plan.batch !== "all") checkNumber(where, "batch", plan.batch, { low: 1, high: 2 ** 31, integer: true });
  checkNumber(where, "blockRows", plan.blockRows, { low: 1, high: 2 ** 31, integer: true });
  checkNumber(where, "averageEvery", plan.averageEvery, { low: 0, open: true });
  checkNumber(where, "seed", plan.seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkChoice(where, "schedule", plan.schedule, schedules);
  checkChoice(where, "data", plan.data, ["sharded", "replicated"]);
  if (!defaults.precision) refuseMixedPrecision(where, plan);
  // Algorithms whose steps read all rows cannot use replicas, and refuse them with their own message.
  const isWhole = defaults.batch === "all" && !defaults.draws;
  if (!isWhole) refuseWithoutMeaning(where, plan, given);
  refuseWithoutEffect(where, plan, isWhole);
  return plan;
}

/** @throws OptionError unless `workers` is undefined or a possible number of threads */
export function checkWorkers(where: string, workers = 1): void {
  checkNumber(where, "workers", workers, { low: 1, high: 1024, integer: true });
}

/**
 * Reads a plan from a checkpoint and checks that no part is missing. Later, the values are checked in the same way as
 * values from users.
 */
export function planFromJson(json: Json | undefined): Plan {
  const kept = new KeptPart("the plan", { tensors: {}, state: json as JsonObject });
  for (const key of planKeys) if (kept.state[key] === undefined || kept.state[key] === null) kept.refuse(`${key} is missing`);
  kept.flag("deterministic");
  return kept.state as unknown as Plan;
}

function resolvePrecision(where: string, given: NonNullable<PlanOptions["precision"]>): Plan["precision"] {
  if (typeof given !== "object") {
    checkChoice(where, "precision", given, dataTypes);
    return { data: given, model: given === "f64" ? "f64" : "f32" };
  }
  checkKeys(`${where}.precision`, given, ["data", "model"]);
  const precision = {
    data: given.data ?? (given.model === "f64" ? "f64" : "f32"),
    model: given.model ?? (given.data === "f64" ? "f64" : "f32"),
  };
  checkChoice(where, "precision.data", precision.data, dataTypes);
  checkChoice(where, "precision.model", precision.model, ["f32", "f64", "i16"]);
  return precision as Plan["precision"];
}

/** Returns the precision for algorithms that compute in float64, regardless of the data's type. */
function arithmetic(where: string, given: PlanOptions["precision"], stored: ElementType): Plan["precision"] {
  if (typeof given === "object") checkKeys(`${where}.precision`, given, ["data", "model"]);
  const { data = stored, model = "f64" } = typeof given === "object" ? given : { data: given };
  checkChoice(where, "precision.data", data, dataTypes);
  checkChoice(where, "precision.model", model, ["f32", "f64", "i16"]);
  if (model === "f64") return { data, model };
  throw new CapabilityError(
    where,
    `precision.model is "${model}", but this algorithm computes in float64 whatever the data's type; leave precision.model out`,
    "PLAN_MEANING",
  );
}

const refusing =
  (where: string) =>
  (message: string): never => {
    throw new CapabilityError(where, message, "PLAN_MEANING");
  };

function refuseWithoutMeaning(where: string, plan: Plan, given: PlanOptions): void {
  const refuse = refusing(where);
  const racing = plan.replicas === "shared" && plan.workers > 1;
  if (plan.deterministic && racing) {
    refuse(
      `deterministic is true and ${plan.workers} workers share one model, but racing workers depend on timing; use replicas: ${plan.workers} instead`,
    );
  }
  if (plan.replicas === 1 && plan.workers > 1 && plan.batch !== "all") {
    const why = given.replicas === undefined ? "deterministic is true" : "replicas is 1";
    const instead = plan.deterministic ? "" : 'replicas: "shared" or ';
    refuse(
      `workers is ${plan.workers} and ${why}, but one replica is one sequence of updates; use ${instead}replicas: ${plan.workers}`,
    );
  }
  if (given.batch === "all" && plan.replicas !== 1) {
    refuse(
      `batch is "all" and replicas is ${JSON.stringify(plan.replicas)}, but full gradients leave nothing to average or race on; leave replicas out (workers still share the sum)`,
    );
  }
}

function refuseMixedPrecision(where: string, plan: Plan): void {
  const refuse = refusing(where);
  if (plan.precision.data === "f64" && plan.precision.model !== "f64") {
    refuse(
      `precision.data is "f64" and precision.model is "${plan.precision.model}", but a coarser model wastes the data's digits; use data: "f32"`,
    );
  }
  if (plan.precision.model === "f64" && plan.precision.data !== "f64") {
    refuse(`precision.model is "f64" and precision.data is "${plan.precision.data}"; use data: "f64" too`);
  }
}

function refuseWithoutEffect(where: string, plan: Plan, isWhole: boolean): void {
  const refuse = refusing(where);
  const one = plan.replicas === "shared" ? "all workers share one model" : "there is one replica";
  const single = plan.replicas === "shared" || plan.replicas === 1;
  const or = (option: string): string => (isWhole ? "" : `, or use ${option}`);
  if (single && plan.averageEvery !== inert.averageEvery)
    refuse(`averageEvery is ${plan.averageEvery}, but ${one}: nothing is averaged; leave averageEvery out${or("replicas: 2")}`);
  if (single && plan.data !== inert.data)
    refuse(`data is "${plan.data}", but ${one}, which sees all rows anyway; leave data out${or("replicas: 2")}`);
  if (plan.schedule !== "blocks" && plan.blockRows !== inert.blockRows)
    refuse(
      `blockRows is ${plan.blockRows}, but only schedule: "blocks" has blocks; leave blockRows out${or('schedule: "blocks"')}`,
    );
}
