import type { JsonObject } from "../../engine/contract/index.ts";
import { checkValuesByName } from "../../engine/data/values-by-name.ts";
import { checkBoolean, checkSignal, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import type { Job } from "../../engine/loop/run.ts";
import { resolveStopping } from "../../engine/loop/stopping.ts";
import { type Engine, openEngine } from "../../engine/memory/engine.ts";
import { refuseLink } from "../../engine/optimise/fits.ts";
import { isRule, type Rule } from "../../engine/optimise/kinds.ts";
import type { ConditionedModel, ModelData, StatisticalModel } from "../model/index.ts";
import type { FoundMode, Mode } from "./found-mode.ts";
import type { ModeOptions } from "./mode-options.ts";
import { type ModeSearch, openSearch } from "./mode-search.ts";
import { type ModeTarget, modeTarget } from "./mode-target.ts";

const EPOCHS = 1000;
const MOST_STARTS = 100;

/** Makes the job that searches for the mode of a posterior; see `fit`. */
export function modeJob(model: StatisticalModel, data: ModelData, options: ModeOptions = {}): Job<Mode> {
  let target: ReturnType<typeof modeTarget>;
  const open = async (engine: Engine): Promise<ModeTarget> => {
    const { deterministic = false } = options;
    return (target = modeTarget(await model.condition(data, { deterministic }), engine, options));
  };
  return searchMode(options, open, (found) => withValues(found, target.model));
}

/** Adds the constrained values of a mode, computed from its unconstrained numbers. */
export function withValues({ u, ...found }: FoundMode, model: ConditionedModel): Mode {
  return { values: model.constrain(u), ...found };
}

/** Creates a search on the target that `open` returns. `finish` creates the run's result. */
export function searchMode<R>(
  options: ModeOptions,
  open: (engine: Engine) => Promise<ModeTarget>,
  finish: (found: FoundMode) => R,
): Job<R> {
  const { epochs, until, deterministic = false } = options;
  const rule = checkModeOptions(options);
  const stopping = resolveStopping("fit", { epochs: epochs ?? (until === undefined ? EPOCHS : undefined), until }, false);
  let found: ModeSearch["found"];
  return {
    start: async () => {
      const engine = await openEngine({ deterministic });
      const target = await open(engine);
      const search = openSearch(target, options, rule, engine);
      ({ found } = search);
      return {
        progression: search.search,
        stopping,
        chosen: {
          model: target.name,
          rule: (rule?.toJSON() ?? { rule: "quasiNewton" }) as unknown as JsonObject,
          until: stopping.until as JsonObject,
        },
      };
    },
    finish: (u, run) => finish(found(u, run)),
    keep: () => {
      throw new CapabilityError("checkpoint", "a mode search is short and cannot be saved; start it again", "RUN_UNKEPT");
    },
  };
}

/** Returns the rule, if there is one. @throws OptionError, CapabilityError */
export function checkModeOptions(options: ModeOptions): Exclude<Rule, { kind: "search" }> | undefined {
  const keys = ["rule", "algorithm", "epochs", "until", "start", "starts", "seed", "deterministic", "signal"];
  checkKeys("fit", options, keys);
  const { start, starts, seed = 0, deterministic = false } = options;
  if (start !== undefined) checkValuesByName("fit", start);
  checkSignal("fit", options.signal);
  checkBoolean("fit", "deterministic", deterministic);
  checkNumber("fit", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  if (starts !== undefined) checkNumber("fit", "starts", starts, { low: 1, high: MOST_STARTS, integer: true });
  if (start !== undefined && starts !== undefined && starts !== 1)
    throw new OptionError(
      "fit",
      `starts is ${starts}, but start gives a single starting point; leave one of the two out`,
      "OPTION_CONFLICT",
    );
  if (options.algorithm !== undefined && options.rule !== undefined)
    throw new OptionError("fit", "rule and algorithm were both given; leave one out", "OPTION_CONFLICT");
  const rule = options.algorithm ?? options.rule;
  if (rule !== undefined && !isRule(rule))
    refuse("fit", options.algorithm === undefined ? "rule" : "algorithm", rule, "a rule for full gradients", "lbfgs()");
  if (rule) refuseLink("fit", rule);
  if (rule?.kind !== "search") return rule;
  const problem = `${rule.name} searches on minibatches, but a mode search uses all rows; use lbfgs()`;
  throw new CapabilityError("fit", problem, "PLAN_MEANING");
}
