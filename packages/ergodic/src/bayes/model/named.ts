/**
 * Models that declare their data first and return the quantities to report, so that the compiler knows the names of
 * both.
 */

import { isArray, type SymbolicArray } from "../../engine/compiler/index.ts";
import { refuse } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { Distribution } from "../distributions/index.ts";
import type { ModelContext, ModelTools } from "./context.ts";
import type { DataField, DataFields, ModelData, Symbolic } from "./fields.ts";

/**
 * Argument of a model's function if the data are declared first. It contains the symbolic data by name, and the tools
 * that describe the rest of the model.
 */
export type NamedContext<D extends ModelData> = ModelTools & { readonly [K in keyof D]: Symbolic<D[K]> };

/** Data fields for data of type `D`. */
export type FieldsOf<D extends ModelData> = { readonly [K in keyof D]: DataField<D[K]> };

/**
 * Return value of a model's function: parameters under their names, and any other quantities that draws should report.
 */
export type Reported = Readonly<Record<string, SymbolicArray | Distribution>>;

const WHERE = "model";

/** Returns the model as a function of the context only. */
export function namedBody<D extends ModelData>(
  fields: FieldsOf<D>,
  body: (context: NamedContext<D>) => Reported,
): (context: ModelContext) => unknown {
  return reportingBody(({ data, ...tools }) => {
    const taken = Object.keys(fields).find((field) => field === "data" || Object.hasOwn(tools, field));
    if (taken !== undefined)
      throw new OptionError(
        WHERE,
        `a field of the data is called "${taken}", but the model's function already receives a value of this name; rename the field`,
        "MODEL_NAME",
      );
    const made: unknown = body({ ...data(fields as DataFields), ...tools } as NamedContext<D>);
    if (typeof made !== "object" || made === null || isArray(made))
      refuse(WHERE, "what the function returns", made, "an object of the quantities that draws report", "return { mu, tau }");
    return made;
  });
}

/**
 * Wraps a function so that draws report the quantities that it returns by name. Other return values are ignored,
 * because an arrow function with an expression body always returns something.
 */
export function reportingBody(body: (context: ModelContext) => unknown): (context: ModelContext) => unknown {
  return (context) => {
    const named = new Map<string, SymbolicArray>();
    // Passes all arguments on, because the receiving function checks the number of arguments.
    const noting =
      <Given extends [name: string, ...unknown[]]>(make: (...given: Given) => SymbolicArray) =>
      (...given: Given): SymbolicArray => {
        const value = make(...given);
        named.set(given[0], value);
        return value;
      };
    const made = body({ ...context, param: noting(context.param), transformed: noting(context.transformed) });
    // An async function returned this promise. The function is refused later.
    if (made instanceof Promise) return made;
    if (typeof made === "object" && made !== null && !(isArray(made) || made instanceof Distribution))
      for (const [key, value] of Object.entries(made as Reported)) report(key, value, named, context);
    return undefined;
  };
}

/**
 * Reports a returned value. If the value is already reported under this name, nothing changes. Otherwise the value
 * becomes a new quantity.
 */
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
