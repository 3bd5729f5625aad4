/**
 * Finds the position of a syntax error. When a program imports a file with a syntax error, Node does not report the
 * position of the error. Node prints the position with `--check`, without running the file. Therefore the file is
 * checked in this way, and then the files that it imports by relative paths.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const IMPORTED = /\b(?:from|import)\s*["'](\.{1,2}\/[^"']+\.m?js)["']/g;
const MOST_FILES = 50;

/**
 * Returns a SyntaxError with its position in the stack, if the position is found. Returns any other error unchanged.
 */
export function located(cause: unknown, file: string): unknown {
  if (!(cause instanceof SyntaxError)) return cause;
  const place = placeBelow(file);
  if (place === undefined) return cause;
  const error = new SyntaxError(cause.message, { cause });
  error.stack = `${place}\nSyntaxError: ${cause.message}`;
  return error;
}

/** Returns "/folder/file.mjs:3\n  const x = = 3;\n            ^" for the first file that does not parse. */
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
