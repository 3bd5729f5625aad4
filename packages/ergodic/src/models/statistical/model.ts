import { refuse } from "../../base/checks.ts";
import { checkKeys, OptionError } from "../../base/errors.ts";
import type { LogDensity } from "../../contract.ts";
import { openEngine } from "../../host/engine.ts";
import { ConditionedModel } from "./conditioned.ts";
import type { ModelContext } from "./context.ts";
import { familiesOfModel } from "./families.ts";
import type { ModelData } from "./fields.ts";
import { RowModel } from "./minibatch.ts";
import { traceModel } from "./trace.ts";

/** Options of `model.condition`. */
export interface ConditionOptions {
  /** Whether results are the same bits on every host. Default false. */
  readonly deterministic?: boolean;
  /** Name of the size that counts rows of data, for estimates on some of the rows. Default: none. */
  readonly rows?: string;
}

/** A statistical model, as `model` makes it. */
export interface StatisticalModel {
  /** Tells statistical models from others. */
  readonly kind: "statistical";
  /** The model's name. */
  readonly name: string;
  /**
   * The model given data: a log density to sample, optimise or approximate.
   *
   * @throws DataError for data that are missing or do not fit; CompileError, OptionError or CapabilityError, with the line, for a model that
   *   does not hold together
   */
  condition(data: ModelData, options?: ConditionOptions): Promise<ConditionedModel & Pick<LogDensity, "minibatches">>;
}

/**
 * A statistical model: a function that describes how parameters and data come about.
 *
 *   const eightSchools = model(({ data, param, observe }) => {
 *     const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
 *     const mu = param("mu", normal(0, 5));
 *     const tau = param("tau", halfCauchy(5));
 *     const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
 *     observe(y, normal(theta, sigma));
 *   });
 *
 * log p(parameters, data) is the sum of all priors, observations and `target` terms. The function runs once for given data, on symbolic arrays
 * of their shapes; densities and gradients are compiled from it. What depends on the data alone is computed once.
 * `name`: default that of the function, or "model".
 *
 * @throws OptionError unless given a function
 */
export function model(body: (context: ModelContext) => void, options: { name?: string } = {}): StatisticalModel {
  if (typeof body !== "function")
    throw new OptionError(
      "model",
      `got ${typeof body}, wanted a function; write model(({ param, observe }) => …)`,
      "OPTION_TYPE",
    );
  checkKeys("model", options, ["name"]);
  const { name = body.name || "model" } = options;
  if (typeof name !== "string") refuse("model", "name", name, "a text", 'name: "schools"');
  return {
    kind: "statistical",
    name,
    async condition(data, { deterministic = false, rows } = {}) {
      if (rows !== undefined) {
        const engine = await openEngine({ deterministic, families: ["sampling", "arrays", "images"] });
        return new RowModel(name, body, data, engine, { rows, deterministic });
      }
      const traced = traceModel(name, body, data);
      const engine = await openEngine({ deterministic, families: ["sampling", ...familiesOfModel(traced)] });
      return new ConditionedModel(name, traced, engine, deterministic);
    },
  };
}
