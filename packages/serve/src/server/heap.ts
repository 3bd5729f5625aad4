import { setFlagsFromString } from "node:v8";

/**
 * Has V8 collect all of its heap once it is three times as large as what was left of it, instead of after a few megabytes of requests' bodies, and keep its size
 * while there are no requests.
 *
 * Bodies are outside of the heap, and V8 counts them as if they were in it. Where little is left after a collection, as after some seconds without requests, it
 * takes 8 MB more for a reason to collect everything again, and so for as long as there are requests: on one core 99 % of 1,000 requests a second were answered in
 * 16 ms, for which 1 ms is enough.
 *
 * Options of the whole process. Node 20 has the first alone, Bun and Deno have none. What was given to Node itself is kept.
 */
export function keepHeap(): void {
  for (const flag of heapFlags(process.versions, process.execArgv)) setFlagsFromString(flag);
}

/** `given`: options of Node. */
export function heapFlags({ node = "0", bun, deno }: NodeJS.ProcessVersions, given: readonly string[]): string[] {
  if (bun || deno) return [];
  const flags = ["--heap-growing-percent=200", ...(Number.parseInt(node, 10) >= 22 ? ["--memory-reducer-gc-count=0"] : [])];
  const names = given.map(nameOf);
  return flags.filter((flag) => !names.includes(nameOf(flag)));
}

/** V8 takes underscores as well. */
const nameOf = (flag: string): string => flag.split("=")[0].replaceAll("_", "-");
