import { OptionError } from "ergodic";

/** A value as errors name it, of whatever kind it is: short, and never an error itself. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** An AbortSignal, of any realm, or undefined. @throws OptionError */
export function checkSignal(where: string, value: unknown): asserts value is AbortSignal | undefined {
  if (value === undefined || isSignal(value)) return;
  const isController = typeof value === "object" && value !== null && isSignal((value as { signal?: unknown }).signal);
  const given = isController ? "an AbortController, but must be its signal" : `${shown(value)}, but must be an AbortSignal`;
  throw new OptionError(where, `signal is ${given}: write signal: controller.signal`, "OPTION_TYPE");
}

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, throwIfAborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof throwIfAborted === "function" && typeof addEventListener === "function";
}
