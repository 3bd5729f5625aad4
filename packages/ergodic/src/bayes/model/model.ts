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
  /** Whether results are the same bits on every host. Default false. */
  readonly deterministic?: boolean;
  /** Name of the size that counts rows of data, for estimates on some of the rows. Default: none. */
  readonly rows?: string;
}

/**
 * A statistical model, as `model` makes it. `D`: its data; `Q`: names of what its draws report; both as far as the compiler knows them.
 */
export interface StatisticalModel<D = ModelData, Q extends string = string> {
  /** Tells statistical models from others. */
  readonly kind: "statistical";
  /** What `fit` searches for the mode by. */
  readonly trainable: { readonly by: "mode" };
  /** The model's name. */
  readonly name: string;
  /** For the type alone: names of what draws report. */
  readonly reports?: Q;
  /** Of a model that makes numbers of its data: itself as a model of these numbers, with all else that it took from the data (levels, priors) as it was. */
  ofNumbers?(data: D): { readonly model: StatisticalModel; readonly data: ModelData };
  /**
   * The model given data: a log density to sample, optimise or approximate.
   *
   * @throws DataError for data that are missing or do not fit; CompileError, OptionError or CapabilityError, with the line, for a model that
   *   does not hold together
   */
  condition(data: D, options?: ConditionOptions): Promise<ConditionedModel & Pick<LogDensity, "minibatches">>;
}

/** The data of a model: `DataOfModel<typeof eightSchools>`. */
export type DataOfModel<M> = M extends StatisticalModel<infer D, string> ? D : never;

/** Names of what a model's draws report: `loadDraws<NamesOf<typeof eightSchools>>("out")`. */
export type NamesOf<M> = M extends StatisticalModel<never, infer Q> ? Q : string;

/**
 * A statistical model: a function that describes how parameters and data come about.
 *
 *   const eightSchools = model({ y: vector("J"), sigma: vector("J") }, ({ y, sigma, param, observe }) => {
 *     const mu = param("mu", normal(0, 5));
 *     const tau = param("tau", halfCauchy(5));
 *     const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
 *     observe(y, normal(theta, sigma));
 *     return { mu, tau, theta, next: normal(theta, sigma) };
 *   });
 *
 * What it returns are the names that TypeScript knows its draws by: parameters under their own names, and under any others quantities of each draw,
 * which may be distributions, to be drawn. A parameter that is not returned is drawn and reported all the same. Where names are known at run time
 * alone, take a function of one argument: `model(({ data, param, observe }) => { const { y } = data({ y: vector("J") }); … })`; it may return what is
 * reported, too.
 *
 * log p(parameters, data) is the sum of all priors, observations and `target` terms. The function runs once for given data, on symbolic arrays
 * of their shapes; densities and gradients are compiled from it. What depends on the data alone is computed once.
 * `name`: default that of the function, or "model".
 *
 * @throws OptionError unless given a function
 */
export function model<D extends ModelData, R extends Reported>(
  fields: FieldsOf<D>,
  body: (context: NamedContext<D>) => R,
  options?: { name?: string },
): StatisticalModel<D, keyof R & string>;
export function model(body: (context: ModelContext) => void, options?: { name?: string }): StatisticalModel;
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

/** A model that has run on its data, in an engine. */
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
