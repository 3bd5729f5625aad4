// Preloaded into the programs of sizes.test.ts: prints the address of each module that Node loads.
import { readFileSync } from "node:fs";
import { register } from "node:module";

const hooks = `
import { writeSync } from "node:fs";
export async function load(url, context, next) {
  if (url.startsWith("file:")) writeSync(2, "loaded " + url + "\\n");
  return next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
if (process.env.THREAD) Object.assign(globalThis, { thread: process.env.THREAD });
if (process.env.MODEL) Object.assign(globalThis, { bytes: new Uint8Array(readFileSync(process.env.MODEL)) });
