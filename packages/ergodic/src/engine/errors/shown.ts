/**
 * Formats any value for an error message. The result is short even for whole data sets, which users sometimes pass by
 * mistake. Formatting itself never throws.
 */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "function") return `the function ${factoryName(value)}, not called`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "bigint") return `${value}n`;
  // String() also accepts symbols; template strings do not.
  if (typeof value !== "object" || value === null) return String(value);
  const kind = typeNameOf(value);
  if (kind !== undefined && kind !== "Object") return `of type ${kind.slice(0, 60)}`;
  return `an object of ${Object.keys(value).slice(0, 5).join(", ") || "nothing"}`;
}

const isName = (name: unknown): name is string => typeof name === "string" && name !== "";

/**
 * Returns the name of an object's class, or undefined if it has none. Bundlers rename classes. Classes that users can
 * hold therefore state their name in a protected static property, `typeName`, and errors in their property `name`.
 */
export function typeNameOf(value: object): string | undefined {
  if (value instanceof Error && isName(value.name)) return value.name;
  const made = value.constructor as { typeName?: unknown; name?: unknown } | null | undefined;
  return [made?.typeName, made?.name].find(isName);
}

/**
 * Name by which a user calls a factory or a class. The name comes from the declaration, because minifiers rename
 * functions but not strings.
 */
export function factoryName(factory: { name: string; declaration?: { readonly name?: unknown } }): string {
  const { typeName } = factory as { typeName?: unknown };
  return [factory.declaration?.name, typeName, factory.name].find(isName) ?? "make";
}
