import { UsageError } from "../errors.ts";

/** Returns the options that are not undefined. */
export function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Refuses options that do not apply in this context. `of` describes where they do apply. */
export function refuseOptions(options: object, names: readonly string[], of: string): void {
  const wrong = names.find((name) => (options as Record<string, unknown>)[name] !== undefined);
  if (wrong === undefined) return;
  const flag = `--${wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError(flag, `applies only to ${of}; omit it`);
}
