/**
 * Where a file that does not parse is wrong. Node keeps that place from whoever imports the file, but prints it for what it is asked to check, which runs
 * nothing: so the file is checked once more, and after it what it imports by a relative path.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const IMPORTED = /\b(?:from|import)\s*["'](\.{1,2}\/[^"']+\.m?js)["']/g;
const MOST_FILES = 50;

/** A SyntaxError with its place in the stack, where it is found; any other error as it is. */
export function located(cause: unknown, file: string): unknown {
  if (!(cause instanceof SyntaxError)) return cause;
  const place = placeBelow(file);
  if (place === undefined) return cause;
  const error = new SyntaxError(cause.message, { cause });
  error.stack = `${place}\nSyntaxError: ${cause.message}`;
  return error;
}

/** "/folder/file.mjs:3\n  const x = = 3;\n            ^" of the first file that does not parse. */
function placeBelow(first: string): string | undefined {
  const files = new Set([first]);
  for (const file of files) {
    if (files.size > MOST_FILES || !existsSync(file)) continue;
    const input = readFileSync(file, "utf8");
    const { status, stderr } = spawnSync(process.execPath, ["--check", "--input-type=module", "-"], { input, encoding: "utf8" });
    const at = stderr.indexOf("[stdin]:");
    if (status !== 0 && at >= 0) return stderr.slice(at, stderr.indexOf("\n\n", at)).replace("[stdin]", file);
    for (const [, name] of input.matchAll(IMPORTED)) files.add(resolve(dirname(file), name));
  }
  return undefined;
}
