import type { Algorithm, ColumnTarget, CoordinateState, JsonObject, Plan, Problem, Progression } from "../../contract/index.ts";
import { checkChoice } from "../../errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber } from "../../errors/errors.ts";
import type { Engine } from "../../memory/engine.ts";
import { refuseLanes } from "../one-lane.ts";
import { isSchedule, type ScheduleJson } from "../schedule.ts";
import { scheduleFromJson } from "../schedules/by-name.ts";
import type { CoordinateDescentOptions, ResolvedOptions } from "./coordinate-options.ts";
import { CoordinateProgression } from "./coordinate-progression.ts";
import { type PickName, pickNames } from "./picks.ts";

/**
 * Coordinate descent with its options filled in, as made by `coordinateDescent`. Passed to `fit` and `minimize` as
 * `algorithm`.
 */
export interface CoordinateDescent extends Algorithm {
  /** Options with every default filled in. */
  readonly options: Readonly<ResolvedOptions>;
}

/** Solves a linear model on working sets of columns until the relative gap is at most `tolerance`. */
export type SolveColumns = (target: ColumnTarget, tolerance: number, plan: Plan, engine: Engine) => Promise<Progression>;

const WHERE = "coordinateDescent";

/**
 * Makes coordinate descent for problems with the capability `coordinates`. Without `solveColumns`, working sets are
 * never used.
 */
export function descendCoordinates(given: CoordinateDescentOptions, solveColumns?: SolveColumns): CoordinateDescent {
  const options = resolve(given);
  return {
    name: WHERE,
    verb: "fit",
    options,
    defaults: { batch: "all", epochs: 1000, precision: "f64" },
    families: ["coordinate"],
    toJSON() {
      const { estimate, ...rest } = options;
      if (!estimate) return { algorithm: WHERE, ...rest };
      const { rows, rate } = estimate;
      return {
        algorithm: WHERE,
        ...rest,
        estimate: { rows, rate: isSchedule(rate) ? (rate.toJSON() as unknown as JsonObject) : rate },
      };
    },
    start: (problem, plan, engine) => start(options, solveColumns, problem, plan, engine),
  };
}

/** Returns the options in an algorithm's JSON. */
export function coordinateOptionsFrom({ algorithm: _, estimate, ...rest }: JsonObject): CoordinateDescentOptions {
  const { rows, rate } = (estimate ?? {}) as { rows: number; rate: number | JsonObject };
  if (!estimate) return rest;
  return {
    ...rest,
    estimate: { rows, rate: typeof rate === "number" ? rate : scheduleFromJson(rate as unknown as ScheduleJson) },
  };
}

function resolve(given: CoordinateDescentOptions): ResolvedOptions {
  checkKeys(WHERE, given, ["pick", "step", "block", "estimate", "acceleration", "tolerance", "checkEvery"]);
  const { estimate } = given;
  const nesterov = given.acceleration === "nesterov";
  const pick = given.pick ?? (nesterov ? "random" : "auto");
  const repeats = !estimate && (pick === "auto" || pick === "workingSets" || pick === "cyclic");
  const options: ResolvedOptions = {
    pick,
    step: given.step ?? (nesterov || estimate ? "lipschitz" : "exact"),
    block: given.block ?? 1,
    acceleration: given.acceleration ?? (repeats ? "anderson" : "none"),
    tolerance: given.tolerance ?? 1e-6,
    checkEvery: given.checkEvery ?? 10,
    ...(estimate ? { estimate } : {}),
  };
  checkChoice(WHERE, "pick", options.pick, ["auto", "workingSets", ...pickNames]);
  checkChoice(WHERE, "step", options.step, ["exact", "lipschitz"]);
  checkChoice(WHERE, "acceleration", options.acceleration, ["none", "anderson", "nesterov"]);
  checkNumber(WHERE, "block", options.block, { low: 1, integer: true });
  checkNumber(WHERE, "tolerance", options.tolerance, { low: 0 });
  checkNumber(WHERE, "checkEvery", options.checkEvery, { low: 1, integer: true });
  if (estimate !== undefined) checkEstimate(estimate);
  refuseWithoutMeaning(options, repeats);
  return options;
}

function checkEstimate(estimate: NonNullable<CoordinateDescentOptions["estimate"]>): void {
  checkKeys(`${WHERE}.estimate`, estimate, ["rows", "rate"]);
  checkNumber(`${WHERE}.estimate`, "rows", estimate.rows, { low: 1, high: 2 ** 31, integer: true });
  if (!isSchedule(estimate.rate)) checkNumber(`${WHERE}.estimate`, "rate", estimate.rate, { low: 0, open: true });
}

function refuseWithoutMeaning({ pick, step, block, acceleration, estimate }: ResolvedOptions, repeats: boolean): void {
  if (estimate && step === "exact")
    refuse(
      `step is "exact" and partial derivatives are estimated, but exact steps along estimates do not reach a minimum; use step: "lipschitz"`,
    );
  if (acceleration === "nesterov" && estimate)
    refuse(`acceleration is "nesterov", but it lets the errors of estimates grow; use acceleration: "none"`);
  if (acceleration === "nesterov" && (pick !== "random" || step !== "lipschitz"))
    refuse(
      `acceleration is "nesterov", which needs pick: "random" and step: "lipschitz", not pick: "${pick}" and step: "${step}"`,
    );
  if (acceleration === "anderson" && !repeats) {
    const why = estimate ? "estimates make" : `pick "${pick}" makes`;
    refuse(
      `acceleration is "anderson", which extrapolates one repeated map, but ${why} each pass a different map; use pick: "cyclic" without estimate`,
    );
  }
  if (block > 1 && pick !== "greedy")
    refuse(`block is ${block}, but pick is "${pick}", which uses no violations; leave block out, or use pick: "greedy"`);
}

function start(
  options: ResolvedOptions,
  solveColumns: SolveColumns | undefined,
  problem: Problem,
  plan: Plan,
  engine: Engine,
): Progression | Promise<Progression> {
  const { coordinates, byColumns } = problem;
  refusePlan(plan);
  if (options.pick === "workingSets" || (options.pick === "auto" && solveColumns && suitsWorkingSets(options, byColumns))) {
    if (!byColumns || !solveColumns || byColumns.penalty.group > 0) {
      const wrong = byColumns ? "one with a group penalty" : problem.name;
      refuse(
        `pick is "workingSets", which needs a linear model of single columns, not ${wrong}; use pick: "cyclic"`,
        "MODEL_CAPABILITY",
      );
    }
    return solveColumns(byColumns, options.tolerance, plan, engine);
  }
  if (!coordinates)
    refuse(`it moves along coordinates, which ${problem.name} does not offer; leave algorithm out`, "MODEL_CAPABILITY");
  if (options.estimate && !coordinates.estimates)
    refuse(
      `partial derivatives are to be estimated on rows, which ${problem.name} does not offer; leave estimate out`,
      "MODEL_CAPABILITY",
    );
  const state = coordinates.open(plan, engine);
  try {
    refuseMissing(options, problem.name, state);
    return new CoordinateProgression({
      options,
      pick: choosePick(options.pick),
      blocks: coordinates.blocks?.length ?? coordinates.count,
      state,
      seed: plan.seed,
    });
  } catch (error) {
    state.dispose();
    throw error;
  }
}

function refusePlan(plan: Plan): void {
  if (plan.batch !== "all")
    refuse(
      `batch is ${plan.batch}, but coordinates are picked, not rows; leave batch out, or use estimate: { rows: ${plan.batch} }`,
      "PLAN_MEANING",
    );
  refuseLanes(WHERE, plan, "one point is moved by one sequence of moves");
}

/** Whether working sets can be used. Working sets do not support groups. */
function suitsWorkingSets({ step, acceleration }: ResolvedOptions, target: ColumnTarget | undefined): boolean {
  return target !== undefined && target.penalty.group === 0 && step === "exact" && acceleration === "anderson";
}

/** "auto" takes the fastest order that every problem supports and that does not depend on the seed. */
function choosePick(pick: ResolvedOptions["pick"]): PickName {
  return pick === "auto" || pick === "workingSets" ? "cyclic" : pick;
}

function refuseMissing(options: ResolvedOptions, name: string, state: CoordinateState): void {
  const { acceleration } = options;
  const [by, instead] = bounded(options);
  if (by && !state.curvature)
    refuse(
      `${by} needs a bound on the curvature along each coordinate, which ${name} does not offer; ${instead}`,
      "MODEL_CAPABILITY",
    );
  if (acceleration === "nesterov" && !state.companion)
    refuse(
      `acceleration "nesterov" needs partial derivatives between two points, which ${name} does not offer; use "anderson" or "none"`,
      "MODEL_CAPABILITY",
    );
}

/** Returns the option that requires bounds on the curvature, and advice on what to do without them. */
function bounded({ pick, step, acceleration, estimate }: ResolvedOptions): [by?: string, instead?: string] {
  if (estimate) return ["estimate", "leave estimate out"];
  if (acceleration === "nesterov") return ['acceleration "nesterov"', 'use acceleration: "anderson" or "none"'];
  if (step === "lipschitz") return ['step "lipschitz"', 'use step: "exact"'];
  return pick === "importance" ? ['pick "importance"', 'use pick: "random"'] : [];
}

function refuse(message: string, code = "ALGORITHM_MEANING"): never {
  throw new CapabilityError(WHERE, message, code);
}
