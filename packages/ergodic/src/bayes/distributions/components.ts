/** Parameters of distributions made from other distributions. The parameters of component k are stored as "k.name". */
import type { Constraint, Values } from "./constraint.ts";
import type { SymbolicParameters } from "./family.ts";
import type { Distribution } from "./value.ts";

export interface Joined {
  readonly parameters: SymbolicParameters;
  readonly constraints: Readonly<Record<string, Constraint>>;
}

/** Collects the parameters and constraints of all components. */
export function joined(components: readonly Distribution[]): Joined {
  const entries = <T>(of: (component: Distribution) => Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(components.flatMap((c, k) => Object.entries(of(c)).map(([name, value]) => [`${k}.${name}`, value])));
  return { parameters: entries((c) => c.parameters), constraints: entries((c) => c.family.constraints) };
}

/** Returns the entries of component k under their own names. */
export function partOf<T extends Values | SymbolicParameters>(all: T, k: number): T {
  const prefix = `${k}.`;
  return Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  ) as unknown as T;
}
