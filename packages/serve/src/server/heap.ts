import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8 from shrinking its heap while there are no requests. After eight seconds without work it collects garbage until nothing more is found, and takes what is
 * left for all that the process needs: from then on every few megabytes of requests' bodies collect the whole heap, for as long as there are requests. On one core
 * that was 16 ms at a rate (1,000 a second) at which requests take 1 ms otherwise.
 *
 * The option is for the whole process. Node 20 takes one like it at its start alone: `node --no-memory-reducer`.
 */
export function keepHeap({ node = "0", bun, deno }: NodeJS.ProcessVersions = process.versions): void {
  if (!bun && !deno && Number.parseInt(node, 10) >= 22) setFlagsFromString("--memory-reducer-gc-count=0");
}
