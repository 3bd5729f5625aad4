import type { Rule } from "../../algorithms/gradient/kinds.ts";
import { checkBoolean, checkSignal, checkValuesByName, holds, refuse } from "../../base/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../base/errors.ts";
import type { JsonObject } from "../../contract.ts";
import { type Engine, openEngine } from "../../host/engine.ts";
import { Run, type RunSummary } from "../../loop/run.ts";
import { resolveStopping } from "../../loop/stopping.ts";
import type { ConditionedModel, ModelData, StatisticalModel } from "../../models/statistical/index.ts";
import { modeNames } from "../result-names.ts";
import type { ModeOptions } from "./mode-options.ts";
import type { ModeSearch } from "./mode-search.ts";
import type { Spread } from "./mode-starts.ts";
import type { ModeTarget, modeTarget } from "./mode-target.ts";

/**
 * fit(model, data, { rule: lbfgs() }) of a statistical model: the posterior's mode, the values that maximise log p(values | data).
 *
 * The density is that of the constrained values, without log |J|: what textbooks write, and what depends on no transform. It is
 * climbed on the unconstrained numbers from `starts` points, uniform in (−2, 2) from `seed`, each redrawn until the density
 * is finite; or from `start`. The best is kept, and `spread` says how the others ended. By default quasi-Newton moves until a
 * Newton step promises at most 10⁻⁶ nats more, at most 1000; or any rule on whole gradients. `converged` says that much of the
 * best, by whatever rule it was found.
 *
 * A density may grow without limit where a constrained parameter runs to its border: a hierarchical scale at 0, the sd of a
 * mixture's component on one observation. `unbounded` names these, no mode is there, and another start's is kept if there is
 * one. A density that is lost from every start ends with RUN_DIVERGED.
 *
 * @throws OptionError, DataError, CapabilityError when something does not fit; ErgodicError [RUN_DIVERGED], [SAMPLE_START]
 */
export interface Mode<Q extends string = string> {
  /** Parameters, transformed and generated quantities at the mode. */
  readonly values: Readonly<Record<Q, Float64Array>>;
  /** log p(values, data), constants that distributions drop aside. */
  readonly logDensity: number;
  /** Euclidean norm of its gradient by the unconstrained numbers. */
  readonly gradientNorm: number;
  /** Whether nothing is known to be left: `left` is at most 10⁻⁶ nats (for large densities, what rounding allows), and the density has a limit there. */
  readonly converged: boolean;
  /** Nats that a Newton step promises yet: ½ gᵀH⁻¹g; of a rule, what a climb from its end gains. */
  readonly left: number;
  /** How the starts ended. */
  readonly spread: Spread;
  /** Parameters at whose border the log density grows without limit, from any start: `tau`, `sigma[2]` (counted from 1, as in tables of draws). */
  readonly unbounded: readonly string[];
  /** Why the run stopped. */
  readonly reason: string;
  /** How the run went. */
  readonly run: RunSummary;
}

const EPOCHS = 1000;
const MOST_STARTS = 100;

/** A mode as the search leaves it: unconstrained. */
export interface FoundMode extends Omit<Mode, "values"> {
  readonly u: Float64Array;
}

export function fitMode(model: StatisticalModel, data: ModelData, options: ModeOptions = {}): Run<Mode> {
  let target: ReturnType<typeof modeTarget>;
  const open = async (engine: Engine): Promise<ModeTarget> => {
    const { modeTarget } = await import("./mode-target.ts");
    const { deterministic = false } = options;
    return (target = modeTarget(await model.condition(data, { deterministic }), engine, options));
  };
  return searchMode(options, open, (found) => withValues(found, target.model));
}

/** The values that the unconstrained numbers of a mode represent. */
export function withValues({ u, ...found }: FoundMode, model: ConditionedModel): Mode {
  return { values: model.constrain(u), ...found };
}

/** `fitMode` on what `open` gives, with what its run ends in. */
export function searchMode<R>(
  options: ModeOptions,
  open: (engine: Engine) => Promise<ModeTarget>,
  finish: (found: FoundMode) => R,
): Run<R> {
  const { epochs, until, signal, deterministic = false } = options;
  const rule = checkModeOptions(options);
  const stopping = resolveStopping("fit", { epochs: epochs ?? (until === undefined ? EPOCHS : undefined), until }, false);
  let objective: ModeSearch["objective"];
  let search: ModeSearch["search"];
  let saidOf: ModeSearch["said"];
  return new Run<R>({
    resultNames: modeNames(),
    ...(signal ? { signal } : {}),
    start: async () => {
      const engine = await openEngine({ deterministic });
      const target = await open(engine);
      const { openSearch } = await import("./mode-search.ts");
      ({ objective, search, said: saidOf } = openSearch(target, options, rule, engine));
      return {
        progression: search,
        stopping,
        chosen: {
          model: target.name,
          rule: (rule?.toJSON() ?? { rule: "quasiNewton" }) as unknown as JsonObject,
          until: stopping.until as JsonObject,
        },
      };
    },
    finish: (u, run) => {
      const gradient = new Float64Array(objective.count);
      const logDensity = -objective.evaluate(u, gradient);
      const gradientNorm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      const verdict = search.verdict();
      const { converged, left, spread } = verdict;
      const unbounded = objective.names(verdict.unbounded);
      const said = saidOf(verdict);
      // Where the search ended by itself the run's reason is the verdict; a start that is still under way when the best has converged changes nothing.
      const reason = run.reason === said || converged ? said : `${run.reason}; ${said}`;
      return finish({ u, logDensity, gradientNorm, converged, left, spread, unbounded, reason, run: { ...run, reason } });
    },
    keep: () => {
      throw new CapabilityError("checkpoint", "the search for a mode is short, and is not kept; begin it again", "RUN_UNKEPT");
    },
  });
}

/** The rule, if there is one. @throws OptionError, CapabilityError */
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
    throw new OptionError("fit", `starts is ${starts}, but start names one; leave one of the two out`, "OPTION_CONFLICT");
  const rule = options.algorithm ?? options.rule;
  if (rule !== undefined && !(holds(rule, "kind") && holds(rule, "toJSON")))
    refuse("fit", options.algorithm === undefined ? "rule" : "algorithm", rule, "a rule on whole gradients", "lbfgs()");
  if (rule?.kind !== "search") return rule;
  const problem = `${rule.name} searches on minibatches, but a model is a whole; take lbfgs()`;
  throw new CapabilityError("fit", problem, "PLAN_MEANING");
}
