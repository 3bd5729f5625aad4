import { OptionError } from "ergodic";
import { checkKeys } from "ergodic/extend";
import type { FastifyRequest } from "fastify";
import { kindOf } from "../v2/json.ts";

/** A fault found by a schema check. */
export interface SchemaFault {
  /** Position in the body, such as "/targets/0". */
  readonly instancePath: string;
  readonly keyword?: string;
  readonly message?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Parts of a schema that error messages use. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

const types: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

/** Describes the fault in a body: its position, the given value, and the expected one. */
export function sentenceOfFaults(faults: readonly SchemaFault[], { body, routeOptions }: FastifyRequest): string {
  const [{ instancePath, keyword, message, params }] = faults;
  const where = `body${instancePath.replaceAll("/", ".")}`;
  const names = instancePath.split("/").slice(1);
  const given = names.reduce((value: unknown, name) => (value as Record<string, unknown>)[name], body);
  const schema = names.reduce((one: Schema | undefined, name) => one?.properties?.[name], routeOptions.schema?.body as Schema);
  const unknown = unknownField(given, schema);
  if (unknown) return `${where}: ${unknown} [BODY]`;
  const wanted = faults.filter((fault) => fault.keyword === "type" && fault.instancePath === instancePath);
  let said = `is ${kindOf(given)}, but ${message}`;
  if (keyword === "required") said = `"${params?.missingProperty}" is missing`;
  else if (keyword === "minItems") said = "is empty, but must hold one or more";
  else if (keyword === "type")
    said = `is ${kindOf(given)}, but must be ${listed(wanted.map((fault) => types[String(fault.params?.type)]))}`;
  return `${where}: ${said}; GET /openapi.json describes it [BODY]`;
}

/** Describes an unknown field, and suggests a known field with a similar name. */
function unknownField(given: unknown, schema: Schema | undefined): string | undefined {
  if (schema?.additionalProperties !== false || typeof given !== "object" || given === null) return undefined;
  const known = Object.keys(schema.properties ?? {});
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  try {
    checkKeys("body", { [unknown]: true }, known);
  } catch (error) {
    if (error instanceof OptionError) return error.said.replace("unknown option", "unknown field");
    throw error;
  }
  return undefined;
}

const listed = (all: readonly string[]): string =>
  all.length === 1 ? all[0] : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
