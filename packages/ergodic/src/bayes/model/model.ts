import type { LogDensity } from "../../engine/contract/index.ts";
import { refuse } from "../../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { ConditionedModel } from "./conditioned.ts";
import type { ModelContext, TracedModel } from "./context.ts";
import type { ModelData } from "./fields.ts";
import { familiesOfModel } from "./kernels-needed.ts";
import { RowModel } from "./minibatch.ts";
import { type FieldsOf, type NamedContext, namedBody, type Reported, reportingBody } from "./named.ts";
import { traceModel } from "./trace.ts";

/** Options of `model.condition`. */
export interface ConditionOptions {
  /** Whether results are bitwise identical on every host. Default false. */
  readonly deterministic?: boolean;
  /** Name of the size that counts rows of data, for minibatch estimates. Default: none. */
  readonly rows?: string;
}

/**
 * Statistical model made by `model`. `D`: its data; `Q`: names of the quantities that its draws report. Both types
 * contain only what the compiler knows.
 */
export interface StatisticalModel<D = ModelData, Q extends string = string> {
  /** Kind of model. */
  readonly kind: "statistical";
  /** Method of `fit` for this model: a search for the mode. */
  readonly trainable: { readonly by: "mode" };
  /** Name of the model. */
  readonly name: string;
  /** Type-level only: names of the quantities that draws report. */
  readonly reports?: Q;
  /**
   * Present if the model derives numbers from its data. Returns the model of these numbers. All other parts that were
   * derived from the data (levels, priors) are fixed in this model.
   */
  ofNumbers?(data: D): { readonly model: StatisticalModel; readonly data: ModelData };
  /**
   * Conditions the model on data. The result is a log density to sample, optimise or approximate.
   *
   * @throws DataError for missing or unsuitable data; CompileError, OptionError or CapabilityError, with the line, for
   *   an inconsistent model
   */
  condition(data: D, options?: ConditionOptions): Promise<ConditionedModel & Pick<LogDensity, "minibatches">>;
}

/** Data type of a model: `DataOfModel<typeof eightSchools>`. */
export type DataOfModel<M> = M extends StatisticalModel<infer D, string> ? D : never;

/** Names of the quantities that a model's draws report: `loadDraws<NamesOf<typeof eightSchools>>("out")`. */
export type NamesOf<M> = M extends StatisticalModel<never, infer Q> ? Q : string;

/**
 * Makes a statistical model from a function that describes how parameters and data were generated.
 *
 * The keys of the returned object are the names under which TypeScript knows the draws. Parameters have their own
 * names. Other names are quantities of each draw, which can be distributions to draw from.
 *
 * A parameter that is not returned is still sampled and reported.
 *
 * If names are known only at run time, use a function of one argument: `model(({ data, param, observe }) => { const { y
 * } = data({ y: vector("J") }); … })`. A function of one argument can also return quantities to report.
 *
 * log p(parameters, data) is the sum of all priors, observations and `target` terms. The function runs once for given
 * data, on symbolic arrays of their shapes, and densities and gradients are compiled from it. Work that depends only on
 * the data is done once.
 *
 * @param fields data of the model by name, e.g. { y: vector("N") }
 * @param body function that declares parameters and observations, and returns the quantities to report
 * @param options `name` of the model in errors
 * @throws OptionError unless given a function
 *
 * @example
 * ```ts
 * const eightSchools = model({ y: vector("J"), sigma: vector("J") }, ({ y, sigma, param, observe }) => {
 *   const mu = param("mu", normal(0, 5));
 *   const tau = param("tau", halfCauchy(5));
 *   const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
 *   observe(y, normal(theta, sigma));
 *   return { mu, tau, theta, next: normal(theta, sigma) };
 * });
 * ```
 */
export function model<D extends ModelData, R extends Reported>(
  fields: FieldsOf<D>,
  body: (context: NamedContext<D>) => R,
  options?: {
    /** Name of the model in errors. Default: the name of the function, or "model". */
    name?: string;
  },
): StatisticalModel<D, keyof R & string>;
export function model(
  body: (context: ModelContext) => void,
  options?: {
    /** Name of the model in errors. Default: the name of the function, or "model". */
    name?: string;
  },
): StatisticalModel;
export function model(...given: unknown[]): StatisticalModel {
  if (typeof given[0] === "function") return modelOf(reportingBody(given[0] as Body), given[0].name, given[1] as object);
  const [fields, body, options] = given as [FieldsOf<ModelData>, (context: NamedContext<ModelData>) => Reported, object];
  if (typeof fields !== "object" || fields === null || typeof body !== "function")
    throw new OptionError(
      "model",
      `got ${shown(fields)}, wanted a function; write model(({ param, observe }) => …), or model({ y: vector("N") }, ({ y, param, observe }) => …)`,
      "OPTION_TYPE",
    );
  return modelOf(namedBody(fields, body), body.name, options);
}

type Body = (context: ModelContext) => unknown;

function modelOf(body: Body, fallback: string, options: { name?: string } = {}): StatisticalModel {
  checkKeys("model", options, ["name"]);
  const { name = fallback || "model" } = options;
  if (typeof name !== "string") refuse("model", "name", name, "a text", 'name: "schools"');
  return {
    kind: "statistical",
    trainable: { by: "mode" },
    name,
    async condition(data, { deterministic = false, rows } = {}) {
      return conditionTraced(name, traceModel(name, body, data), { deterministic, ...(rows === undefined ? {} : { rows }) });
    },
  };
}

/** Conditions a traced model, and opens an engine for it. */
export async function conditionTraced(
  name: string,
  traced: TracedModel,
  { deterministic = false, rows }: ConditionOptions,
): Promise<ConditionedModel & Pick<LogDensity, "minibatches">> {
  if (rows !== undefined) {
    const engine = await openEngine({ deterministic, families: ["sampling", "arrays", "images"] });
    return new RowModel(name, traced, engine, { rows, deterministic });
  }
  const engine = await openEngine({ deterministic, families: ["sampling", ...familiesOfModel(traced)] });
  return new ConditionedModel(name, traced, engine, deterministic);
}
