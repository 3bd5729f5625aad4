import { isUtf8 } from "node:buffer";
import { RequestError } from "../server/request-error.ts";

const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, QUOTE, BACKSLASH] = [...'[]{}"\\'].map((c) => c.charCodeAt(0));

/**
 * Parses the JSON object in these bytes. The nesting depth is checked before anything is allocated, because a few
 * megabytes of nested lists would otherwise become a gigabyte of objects.
 *
 * @throws RequestError [BODY, BODY_DEPTH]
 */
export function parseObject(bytes: Buffer, where: string, deepest: number): Record<string, unknown> {
  checkDepth(bytes, where, deepest);
  if (!isUtf8(bytes)) throw new RequestError(where, "the body is not UTF-8; send JSON in UTF-8", "BODY");
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const said = bytes.length === 0 ? "the body is empty" : `the body is not JSON (${(error as Error).message})`;
    throw new RequestError(where, `${said}; send a JSON object`, "BODY");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RequestError(where, `the body is ${kindOf(value)}, but must be a JSON object`, "BODY");
  return value as Record<string, unknown>;
}

/** Describes a JSON value for a message. The description is short for any value. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}

function checkDepth(bytes: Buffer, where: string, deepest: number): void {
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i];
    if (c === QUOTE) i = endOfText(bytes, i);
    else if (c === OPEN_LIST || c === OPEN_OBJECT) {
      if (++depth > deepest)
        throw new RequestError(where, `the JSON is nested more than ${deepest} deep; send it flatter`, "BODY_DEPTH");
    } else if (c === CLOSE_LIST || c === CLOSE_OBJECT) depth--;
  }
}

/** Returns the end of the string that begins at `start`. */
function endOfText(bytes: Buffer, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i;
  }
  return bytes.length;
}
