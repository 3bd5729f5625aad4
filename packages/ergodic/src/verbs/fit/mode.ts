/**
 * fit(model, data, { rule: lbfgs() }) of a statistical model: the posterior's mode, the values that maximise log p(values | data).
 *
 * The density is that of the constrained values, without log |J|: what textbooks write, and what depends on no transform. It is climbed on the
 * unconstrained numbers from `starts` points, uniform in (−2, 2) from `seed`, each drawn anew until the density is finite; or from `start`. The best is
 * kept, and `spread` says how the others ended. By default quasi-Newton moves until a Newton step promises at most 10⁻⁶ nats more, at most 1000; or any
 * rule on whole gradients. `converged` says that much of the best, by whatever rule it was found.
 *
 * A density may grow without limit where a constrained parameter runs to its border: a hierarchical scale at 0, the sd of a mixture's component on one
 * observation. `unbounded` names these, no mode is there, and another start's is kept if there is one. A density that is lost from every start ends with
 * RUN_DIVERGED.
 *
 * @throws OptionError, DataError, CapabilityError when something does not fit; ErgodicError [RUN_DIVERGED], [SAMPLE_START]
 */
import { fullDescent } from "../../algorithms/gradient/full.ts";
import type { Rule } from "../../algorithms/gradient/kinds.ts";
import type { FullObjective } from "../../algorithms/gradient/objective.ts";
import type { Border } from "../../algorithms/variational/border.ts";
import { checkBoolean, checkSignal, checkValuesByName, holds, refuse } from "../../base/checks.ts";
import { CapabilityError, checkKeys, checkNumber, ErgodicError, OptionError } from "../../base/errors.ts";
import { stream } from "../../base/stream.ts";
import type { JsonObject } from "../../contract.ts";
import { scalarName } from "../../draws/draws.ts";
import { type Engine, openEngine } from "../../host/engine.ts";
import { Run, type RunSummary } from "../../loop/run.ts";
import { resolveStopping, type Until } from "../../loop/stopping.ts";
import { ConditionedModel, type ModelData, type NamedValues, type StatisticalModel } from "../../models/statistical/index.ts";
import { ModeStarts, OwnAscent, RuleAscent, type Spread, type Verdict } from "./mode-starts.ts";

export interface ModeOptions {
  /** Either of the two. */
  rule?: Rule;
  algorithm?: Rule;
  epochs?: number;
  until?: Until;
  /** Values by name. */
  start?: Readonly<Record<string, number | ArrayLike<number>>>;
  /** How many random starts. Default 8. */
  starts?: number;
  seed?: number;
  deterministic?: boolean;
  signal?: AbortSignal;
}

export interface Mode {
  /** Parameters, transformed and generated quantities at the mode. */
  readonly values: NamedValues;
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
  /** Why the run stopped, in words. */
  readonly reason: string;
  readonly run: RunSummary;
}

const EPOCHS = 1000;
const STARTS = 8;
const MOST_STARTS = 100;

export function fitMode(model: StatisticalModel, data: ModelData, options: ModeOptions = {}): Run<Mode> {
  const { epochs, until, signal, deterministic = false } = options;
  const rule = checkedRule(options);
  const stopping = resolveStopping("fit", { epochs: epochs ?? (until === undefined ? EPOCHS : undefined), until }, false);
  let objective: ModeObjective;
  let search: ModeStarts;
  return new Run<Mode>({
    resultNames: ["values", "logDensity", "gradientNorm"],
    ...(signal ? { signal } : {}),
    start: async () => {
      const engine = await openEngine();
      const given = await model.condition(data, { deterministic });
      if (given.discrete.length > 0)
        throw new CapabilityError(
          "fit",
          `"${given.discrete[0].name}" is discrete, and a mode follows gradients; sum it out with marginalise()`,
          "SAMPLE_DISCRETE",
        );
      objective = new ModeObjective(new ConditionedModel(given.name, ofValues(given), engine, deterministic));
      search = startSearch(objective, given, options, rule, engine);
      return {
        progression: search,
        stopping,
        chosen: {
          model: model.name,
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
      const said = describe(verdict, objective);
      // Where the search ended by itself the run's reason is the verdict; a start that is still under way when the best has converged changes nothing.
      const reason = run.reason === said || converged ? said : `${run.reason}; ${said}`;
      const values = objective.model.constrain(u);
      return { values, logDensity, gradientNorm, converged, left, spread, unbounded, reason, run: { ...run, reason } };
    },
    write: () =>
      Promise.reject(
        new CapabilityError("checkpoint", "the search for a mode is short, and is not kept; begin it again", "RUN_UNKEPT"),
      ),
  });
}

function checkedRule(options: ModeOptions): Exclude<Rule, { kind: "search" }> | undefined {
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

function startSearch(
  objective: ModeObjective,
  given: ConditionedModel,
  { start, starts = STARTS, seed = 0, deterministic = false }: ModeOptions,
  rule: Exclude<Rule, { kind: "search" }> | undefined,
  engine: Engine,
): ModeStarts {
  const points = start ? [given.unconstrain(start)] : objective.somewhere(seed, starts);
  const f = (u: Float64Array, gradient: Float64Array | null): number => objective.evaluate(u, gradient);
  const { borders } = objective;
  const plan = { penalty: undefined, precision: "f64", workers: 1, deterministic } as const;
  const runs = rule ? points.map((u) => fullDescent({ ...plan, rule, objective: objective.from(u) }, engine)) : [];
  const ascents = points.map((u, k) => (rule ? new RuleAscent(f, runs[k], borders) : new OwnAscent(f, u, borders)));
  return new ModeStarts(
    ascents,
    (verdict) => describe(verdict, objective),
    () => {
      for (const run of runs) run.dispose();
      objective.dispose();
    },
  );
}

/** Why a search ended, and how far its starts agree. */
function describe({ best, converged, left, unbounded, spread }: Verdict, objective: ModeObjective): string {
  const { count, near, lowest } = spread;
  const everywhere = spread.unbounded > 0 && !converged;
  const parts: string[] = [];
  if (converged) parts.push("converged");
  else if (!everywhere && Number.isFinite(left)) parts.push(`not converged: ${left.toPrecision(2)} nats more are in reach`);
  else if (!everywhere) parts.push(best.ended ? "not converged: no move raises the log density further" : "not converged");
  const names = objective.names(unbounded);
  if (names.length > 0) {
    const run = names.length > 1 ? `${names.join(", ")} run to their borders` : `${names[0]} runs to its border`;
    const from = spread.unbounded < count ? `, from ${spread.unbounded} of ${count} starts` : "";
    parts.push(`unbounded there: the log density grows without limit as ${run}${from}`);
  }
  if (near < count && !everywhere) {
    const below = (-best.loss - lowest).toPrecision(3);
    parts.push(`${near} of ${count} starts ended within 0.1 nats of the best, the lowest ${below} below`);
  }
  return parts.join("; ");
}

/** The same model, with the density of its values in place of that of the unconstrained numbers. */
const ofValues = ({ traced }: ConditionedModel) => ({ ...traced, logDensity: traced.logDensityOfValues });

class ModeObjective {
  readonly count: number;
  readonly model: ConditionedModel;
  /** Where a single unconstrained number runs to the border of what it stands for. */
  readonly borders: readonly Border[];

  constructor(model: ConditionedModel) {
    this.model = model;
    this.count = model.dimension;
    this.borders = model.traced.parameters.flatMap(({ transform, offset, unconstrained: { size } }) => {
      const both = transform.name === "interval";
      if (!both && !["positive", "lower", "upper"].includes(transform.name)) return [];
      const sides = both ? ([-1, 1] as const) : ([-1] as const);
      return Array.from({ length: size }, (_, i) => sides.map((side): Border => ({ at: offset + i, side }))).flat();
    });
  }

  /** −log density; ∞ where that or a slope is no finite number, so that line searches turn back. */
  evaluate(u: Float64Array, gradient: Float64Array | null): number {
    const at = this.model.evaluate(u);
    if (gradient) for (let i = 0; i < gradient.length; i++) gradient[i] = -at.gradient[i];
    return Number.isFinite(at.value) && at.gradient.every(Number.isFinite) ? -at.value : Infinity;
  }

  /** For a rule that begins at u. */
  from(start: Float64Array): FullObjective {
    const evaluate = (u: Float64Array, gradient: Float64Array | null): number => this.evaluate(u, gradient);
    const evaluateOnWorkers = async (u: Float64Array, gradient: Float64Array): Promise<number> => this.evaluate(u, gradient);
    return { rows: 1, count: this.count, start, evaluate, evaluateOnWorkers, dispose() {} };
  }

  /** Each once, as tables of draws call them: `tau`, `sigma[2]`, `L[2,1]`, counted from 1. */
  names(borders: readonly Border[]): string[] {
    const named = borders.map(({ at }) => {
      const all = this.model.traced.parameters;
      const { name, offset, transform } = all.findLast((parameter) => parameter.offset <= at)!;
      return scalarName(name, transform.shape, at - offset);
    });
    return [...new Set(named)];
  }

  somewhere(seed: number, count: number): Float64Array[] {
    const starts = stream(seed, "mode", "start");
    const tried: Float64Array[] = [];
    const found: Float64Array[] = [];
    for (let attempt = 0; attempt < MOST_STARTS * count && found.length < count; attempt++) {
      if (attempt === MOST_STARTS && found.length === 0) break;
      const draws = starts.at(attempt);
      const u = Float64Array.from({ length: this.count }, () => 4 * draws.uniform() - 2);
      tried.push(u);
      const { value, gradient } = this.model.evaluate(u);
      if (Number.isFinite(value) && gradient.every(Number.isFinite)) found.push(u);
    }
    if (found.length > 0) return found;
    const reason = this.model.explain(tried);
    throw new ErgodicError(
      "fit",
      `${MOST_STARTS} random points in (-2, 2) have no finite log density and gradient${reason ? `: ${reason}` : ""}; give start, or check the model's supports`,
      "SAMPLE_START",
    );
  }

  dispose(): void {
    this.model.dispose();
  }
}
