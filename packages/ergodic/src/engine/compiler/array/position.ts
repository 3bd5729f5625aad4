/** Where in the user's own code something was written: the first line of the stack that is not the library's. */

/**
 * The folder of the library's modules, "/…/ergodic/src/" or "/…/ergodic/dist/"; undefined in a user's bundle, where the library's lines and the
 * user's are of one file. No URL is made of it, as bundlers would take that for a file to copy.
 */
const OWN = /^(?:\w+:\/\/)?(.*\/)(?:engine\/compiler\/array\/position\.ts|parts\/chunk-\w+\.js|ergodic\.min\.js)$/.exec(
  String(import.meta.url).replace(/[?#].*$/, ""),
)?.[1];

/** " (at model.ts:12:7)", or "" where the host gives no stack. */
export function userLine(): string {
  const at = userPosition();
  return at ? ` (at ${at})` : "";
}

export function userPosition(): string | undefined {
  if (OWN === undefined) return undefined;
  const limit = Error.stackTraceLimit;
  // Builders call builders: the default of ten frames may all be the library's.
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
