/**
 * Sends errors between threads. Structured cloning loses the class and the code of an Error, so both are sent as plain
 * data.
 */
import * as errors from "./errors.ts";

/** An error as plain data, for messages. */
export interface SentError {
  readonly name: string;
  readonly where?: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
}

const classes = {
  ErgodicError: errors.ErgodicError,
  OptionError: errors.OptionError,
  DataError: errors.DataError,
  CapabilityError: errors.CapabilityError,
  MemoryLimitError: errors.MemoryLimitError,
  WorkerError: errors.WorkerError,
  CompileError: errors.CompileError,
};

export function sentError(error: unknown): SentError {
  if (error instanceof errors.ErgodicError) {
    const { name, where, code, said, stack } = error;
    return { name, where, code, message: said, ...(stack ? { stack } : {}) };
  }
  if (error instanceof Error || error instanceof DOMException) {
    const { name, message, stack } = error;
    return { name, message, ...(stack ? { stack } : {}) };
  }
  return { name: "Error", message: String(error) };
}

export function errorFrom({ name, where, code, message, stack }: SentError): Error {
  const known = Object.hasOwn(classes, name) ? classes[name as keyof typeof classes] : undefined;
  const error = known ? new known(where ?? "worker", message, code ?? "WORKER") : Object.assign(new Error(message), { name });
  if (stack) error.stack = stack;
  return error;
}
