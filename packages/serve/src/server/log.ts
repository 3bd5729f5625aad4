import { type Logger, pino } from "pino";

export type { Logger };

/** Logger that writes lines of JSON: time, level, message and its fields. */
export function logger(level: "nothing" | "errors" | "requests", to: { write(line: string): unknown }): Logger {
  const stream = { write: (line: string) => void to.write(line) };
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: "message" };
  return pino({ ...options, enabled: level !== "nothing", formatters: { level: (label: string) => ({ level: label }) } }, stream);
}
