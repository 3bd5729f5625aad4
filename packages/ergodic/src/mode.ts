/**
 * fit(model, data, { rule: lbfgs() }) of a statistical model: the posterior's mode, the values that maximise log p(values | data).
 *
 * The density is that of the constrained values, without log |J|: what textbooks write, and what depends on no transform. It is climbed on the
 * unconstrained numbers, by any rule on whole gradients; default lbfgs() until no slope is above 10⁻⁹, at most 1000 updates. Starts where `start` says, else uniform in (−2, 2) from
 * `seed`, anew until the density is finite. A density without a mode (a scale whose prior lets it go to 0, say) ends with RUN_DIVERGED.
 *
 * @throws OptionError, DataError, CapabilityError when something does not fit; ErgodicError [RUN_DIVERGED], [SAMPLE_START]
 */
import { fullDescent } from "./algorithms/gradient/full.ts";
import { lbfgs } from "./algorithms/gradient/index.ts";
import type { Rule } from "./algorithms/gradient/kinds.ts";
import type { FullObjective } from "./algorithms/gradient/objective.ts";
import { CapabilityError, checkKeys, ErgodicError } from "./base/errors.ts";
import { stream } from "./base/stream.ts";
import type { JsonObject } from "./contract.ts";
import { openEngine } from "./host/engine.ts";
import { Run, type RunSummary } from "./loop/run.ts";
import { resolveStopping, type Until } from "./loop/stopping.ts";
import { ConditionedModel, type ModelData, type NamedValues, type StatisticalModel } from "./models/statistical/index.ts";

export interface ModeOptions {
  /** Either of the two. */
  rule?: Rule;
  algorithm?: Rule;
  epochs?: number;
  until?: Until;
  /** Values by name. */
  start?: Readonly<Record<string, number | ArrayLike<number>>>;
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
  /** Why the run stopped, in words. */
  readonly reason: string;
  readonly run: RunSummary;
}

const EPOCHS = 1000;
const MOST_STARTS = 100;

export function fitMode(model: StatisticalModel, data: ModelData, options: ModeOptions = {}): Run<Mode> {
  checkKeys("fit", options, ["rule", "algorithm", "epochs", "until", "start", "seed", "deterministic", "signal"]);
  const { epochs, until, signal, seed = 0, deterministic = false } = options;
  const rule = options.algorithm ?? options.rule ?? lbfgs({ gradientTolerance: 1e-9, changeTolerance: 0 });
  if (rule.kind === "search")
    throw new CapabilityError(
      "fit",
      `${rule.name} searches on minibatches, but a model is a whole; take lbfgs()`,
      "PLAN_MEANING",
    );
  const stopping = resolveStopping("fit", { epochs: epochs ?? (until ? undefined : EPOCHS), until }, false);
  let objective: ModeObjective;
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
      objective.start = options.start ? given.unconstrain(options.start) : objective.somewhere(seed);
      const plan = { objective, penalty: undefined, precision: "f64", workers: 1, deterministic } as const;
      return {
        progression: fullDescent({ ...plan, rule }, engine),
        stopping,
        chosen: { model: model.name, rule: rule.toJSON() as unknown as JsonObject, until: stopping.until as JsonObject },
      };
    },
    finish: (u, run) => {
      const gradient = new Float64Array(objective.count);
      const logDensity = -objective.evaluate(u, gradient);
      const gradientNorm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      return { values: objective.model.constrain(u), logDensity, gradientNorm, reason: run.reason, run };
    },
    write: () =>
      Promise.reject(
        new CapabilityError("checkpoint", "the search for a mode is short, and is not kept; begin it again", "RUN_UNKEPT"),
      ),
  });
}

/** The same model, with the density of its values in place of that of the unconstrained numbers. */
const ofValues = ({ traced }: ConditionedModel) => ({ ...traced, logDensity: traced.logDensityOfValues });

class ModeObjective implements FullObjective {
  readonly rows = 1;
  readonly count: number;
  readonly model: ConditionedModel;
  start: Float64Array | undefined;

  constructor(model: ConditionedModel) {
    this.model = model;
    this.count = model.dimension;
  }

  evaluate(u: Float64Array, gradient: Float64Array | null): number {
    const at = this.model.evaluate(u);
    if (gradient) for (let i = 0; i < gradient.length; i++) gradient[i] = -at.gradient[i];
    return -at.value;
  }

  async evaluateOnWorkers(u: Float64Array, gradient: Float64Array): Promise<number> {
    return this.evaluate(u, gradient);
  }

  somewhere(seed: number): Float64Array {
    const starts = stream(seed, "mode", "start");
    const tried: Float64Array[] = [];
    for (let attempt = 0; attempt < MOST_STARTS; attempt++) {
      const draws = starts.at(attempt);
      const u = Float64Array.from({ length: this.count }, () => 4 * draws.uniform() - 2);
      tried.push(u);
      const { value, gradient } = this.model.evaluate(u);
      if (Number.isFinite(value) && gradient.every(Number.isFinite)) return u;
    }
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
