import { OptionError } from "../errors/errors.ts";

/**
 * Definitions by name, which allows files to refer to the definitions that they use. Built-in names are reserved. Users
 * can redefine their own names, and the last definition is used.
 *
 * @throws OptionError [NAME_TAKEN] for a reserved name
 */
export class Registry<T> {
  private readonly kind: string;
  private readonly entries = new Map<string, T>();
  private readonly reserved = new Set<string>();

  /** `kind`: kind of definition, as named in errors. */
  constructor(kind: string) {
    this.kind = kind;
  }

  define(name: string, entry: T): void {
    if (this.reserved.has(name)) {
      throw new OptionError(
        this.kind,
        `"${name}" is the name of a ${this.kind} of this library; give yours another`,
        "NAME_TAKEN",
      );
    }
    this.entries.set(name, entry);
  }

  get(name: string): T | undefined {
    return this.entries.get(name);
  }

  names(): string[] {
    return [...this.entries.keys()];
  }

  /** Returns whether a user defined the name. */
  isOwn(name: string): boolean {
    return this.entries.has(name) && !this.reserved.has(name);
  }

  /** Reserves the given names and all names defined so far. Users cannot redefine them. */
  reserve(...names: string[]): void {
    for (const name of [...names, ...this.entries.keys()]) this.reserved.add(name);
  }
}

/**
 * Returns the members of `all` that are definitions, in alphabetical order of their names. Sorting is needed because
 * bundlers change the order of a module's exports.
 */
export function byName<T>(all: object, isDefined: (value: unknown) => value is T, nameOf: (one: T) => string): Record<string, T> {
  const defined = Object.values(all as Readonly<Record<string, unknown>>).filter(isDefined);
  return Object.fromEntries(defined.map((one): [string, T] => [nameOf(one), one]).sort(([a], [b]) => (a < b ? -1 : 1)));
}
