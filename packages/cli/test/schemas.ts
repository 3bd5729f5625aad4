/** Checks --json output against the schemas that ship with the command. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";

/** Parses `text` as one JSON value and checks it. The error lists everything that violates the schema. */
export function checked(name: string, text: string): Record<string, never> {
  const value: unknown = JSON.parse(text);
  const schema = JSON.parse(readFileSync(new URL(`../schema/${name}.json`, import.meta.url), "utf8")) as object;
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
  if (!validate(value))
    throw new Error(`not as schema/${name}.json says: ${JSON.stringify(validate.errors?.slice(0, 5), null, 1)}`);
  return value as Record<string, never>;
}
