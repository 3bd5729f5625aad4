import { type FloatFunction, keepFunction } from "../functions/known.ts";
import { type Primitive, primitive } from "../primitive.ts";

type Rest = Pick<Primitive, "reference" | "simplify" | "derivative" | "print">;

/**
 * Makes a primitive whose code is a call of a function. `functions`: the called function and the functions into which
 * its calls can be combined, by name.
 */
export function called(name: string, cost: number, functions: Readonly<Record<string, FloatFunction>>, rest: Rest) {
  for (const [known, entry] of Object.entries(functions)) keepFunction(known, entry);
  return primitive({ name, cost, code: (m, ...args) => m.call(name, ...args), ...rest });
}
