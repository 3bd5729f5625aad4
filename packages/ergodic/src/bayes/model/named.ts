/** Models that say first what they are given, and last what they report, so that the compiler knows the names of both. */

import { isArray, type SymbolicArray } from "../../engine/compiler/index.ts";
import { refuse } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { Distribution } from "../distributions/index.ts";
import type { ModelContext, ModelTools } from "./context.ts";
import type { DataField, DataFields, ModelData, Symbolic } from "./fields.ts";

/** What a model's function is given where its data are named first: these data, symbolic, and what describes the rest. */
export type NamedContext<D extends ModelData> = ModelTools & { readonly [K in keyof D]: Symbolic<D[K]> };

/** Fields whose data are `D`. */
export type FieldsOf<D extends ModelData> = { readonly [K in keyof D]: DataField<D[K]> };

/** What such a function returns: parameters under their names, and whatever else draws shall report. */
export type Reported = Readonly<Record<string, SymbolicArray | Distribution>>;

const WHERE = "model";

/** The same model as a function of the context alone. */
export function namedBody<D extends ModelData>(
  fields: FieldsOf<D>,
  body: (context: NamedContext<D>) => Reported,
): (context: ModelContext) => unknown {
  return reportingBody(({ data, ...tools }) => {
    const taken = Object.keys(fields).find((field) => field === "data" || Object.hasOwn(tools, field));
    if (taken !== undefined)
      throw new OptionError(
        WHERE,
        `a field of the data is called "${taken}", as is what describes a model; call it otherwise`,
        "MODEL_NAME",
      );
    const made: unknown = body({ ...data(fields as DataFields), ...tools } as NamedContext<D>);
    if (typeof made !== "object" || made === null || isArray(made))
      refuse(WHERE, "what the function returns", made, "an object of what draws report", "return { mu, tau }");
    return made;
  });
}

/** The same function, whose draws report what it returns by name. What else it returns is as if nothing was: functions of one expression return something. */
export function reportingBody(body: (context: ModelContext) => unknown): (context: ModelContext) => unknown {
  return (context) => {
    const named = new Map<string, SymbolicArray>();
    // All arguments are passed on: how many there are is looked at.
    const noting =
      <Given extends [name: string, ...unknown[]]>(make: (...given: Given) => SymbolicArray) =>
      (...given: Given): SymbolicArray => {
        const value = make(...given);
        named.set(given[0], value);
        return value;
      };
    const made = body({ ...context, param: noting(context.param), transformed: noting(context.transformed) });
    // An async function, which is refused as every other.
    if (made instanceof Promise) return made;
    if (typeof made === "object" && made !== null && !(isArray(made) || made instanceof Distribution))
      for (const [key, value] of Object.entries(made as Reported)) report(key, value, named, context);
    return undefined;
  };
}

/** What has this name already is left as it is; all else is a quantity of its own. */
function report(
  key: string,
  value: SymbolicArray | Distribution,
  named: ReadonlyMap<string, SymbolicArray>,
  tools: ModelTools,
): void {
  if (named.get(key) === value) return;
  const [own] = [...named].find(([, known]) => known === value) ?? [];
  if (own !== undefined)
    throw new OptionError(WHERE, `"${own}" is returned as "${key}"; return it under its own name`, "MODEL_NAME");
  if (!(isArray(value) || value instanceof Distribution))
    refuse(WHERE, `"${key}" of what the function returns`, value, "a symbolic array or a distribution", "full(3)");
  tools.generated(key, value);
}
