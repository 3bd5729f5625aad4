/**
 * Finds the position in the user's code at which an operation was written. This position is the first stack line that
 * does not belong to the library.
 */

/**
 * Folder of the library's modules, "/…/ergodic/src/" or "/…/ergodic/dist/". The folder is undefined in a user's bundle,
 * because library code and user code are in the same file there. The path is not built with `new URL`, because bundlers
 * would interpret the path as a file to copy.
 */
const OWN = /^(?:\w+:\/\/)?(.*\/)(?:engine\/compiler\/array\/position\.ts|parts\/chunk-\w+\.js|ergodic\.min\.js)$/.exec(
  String(import.meta.url).replace(/[?#].*$/, ""),
)?.[1];

/** Returns " (at model.ts:12:7)", or "" if the host provides no stack. */
export function userLine(): string {
  const at = userPosition();
  return at ? ` (at ${at})` : "";
}

export function userPosition(): string | undefined {
  if (OWN === undefined) return undefined;
  const limit = Error.stackTraceLimit;
  // Builders call other builders, so the default limit of ten frames might show only library code.
  Error.stackTraceLimit = 60;
  const { stack = "" } = new Error("position");
  Error.stackTraceLimit = limit;
  const line = stack
    .split("\n")
    .slice(1)
    .find((frame) => /:\d+:\d+\)?$/.test(frame) && !frame.includes(OWN) && !frame.includes("node:"));
  const place = line?.match(/\(?([^\s()]+:\d+:\d+)\)?$/)?.[1];
  return place?.replace(/^file:\/\//, "");
}
