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
  const kind: unknown = value.constructor?.name;
  if (typeof kind === "string" && kind !== "" && kind !== "Object") return `of type ${kind}`;
  return `an object of ${Object.keys(value).slice(0, 5).join(", ") || "nothing"}`;
}

/**
 * Name by which a user calls a factory. The name comes from the declaration, because minifiers rename functions but not
 * strings.
 */
export function factoryName(factory: { name: string; declaration?: { readonly name?: unknown } }): string {
  const declared = factory.declaration?.name;
  if (typeof declared === "string") return declared;
  return typeof factory.name === "string" && factory.name !== "" ? factory.name : "make";
}
