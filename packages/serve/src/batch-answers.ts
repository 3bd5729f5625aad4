import { ErgodicError } from "ergodic";

export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as Partial<PromiseLike<T>> | undefined)?.then === "function";
}

/** Error for a `run` function that does not return exactly one answer per request. */
export function wrongCount(wanted: number, given: unknown): ErgodicError {
  const found = Array.isArray(given) ? `${given.length} answers` : typeof given;
  const said = `run was given ${wanted} requests and returned ${found}, but must return one answer per request, in order`;
  return new ErgodicError("batcher", said, "BATCH_ANSWERS");
}
