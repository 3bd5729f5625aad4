/**
 * Finds the position in the user's code at which something was written. It is the first stack line that does not belong
 * to the library.
 */

/**
 * Folder of the library's modules, "/…/ergodic/src/" or "/…/ergodic/dist/". Undefined in a user's bundle, because
 * library code and user code are then in the same file. The path is not built with `new URL`, because bundlers would
 * take that for a file to copy.
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
  // Builders call builders, so the default of ten frames might contain only library code.
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
