/**
 * Exports of a user's JavaScript or TypeScript file. The file must resolve the same `ergodic` package as this command.
 *
 * @throws UsageError for TypeScript that cannot be read here; DataError if the file cannot be read, or fails
 */
import { existsSync, realpathSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DataError, ErgodicError } from "ergodic";
import { relative } from "../terminal.ts";
import { located } from "./syntax-place.ts";
import { readTypes } from "./typescript.ts";

const scripts = [".js", ".mjs"];
const typed = [".ts", ".mts"];

export const isModuleFile = (text: string): boolean => [...scripts, ...typed].includes(extname(text));

/** Loads the file. `flag`: the option that named the file, for messages. */
export async function loadedModule(flag: string, path: string): Promise<Record<string, unknown>> {
  let file: string;
  try {
    // As in Node, packages are resolved next to the file itself, not next to a link to it.
    file = await realpath(path);
  } catch (cause) {
    throw new DataError(path, "cannot be read: no such file", "FILE_READ", { cause });
  }
  if (typed.includes(extname(path))) readTypes(flag, path, file);
  try {
    return await imported(path, pathToFileURL(file).href);
  } catch (cause) {
    throw moduleFailure(path, placeIn(path, cause) === undefined ? located(cause, file) : cause);
  }
}

/** Fails if the event loop is empty while the file still waits. Otherwise Node would exit silently. */
async function imported(path: string, href: string): Promise<Record<string, unknown>> {
  let never = (): void => {};
  const unending = new Promise<never>((_, reject) => {
    never = () => reject(new DataError(path, "has a top-level await that never ends; remove it, or make it end", "MODEL_FILE"));
  });
  process.once("beforeExit", never);
  try {
    return (await Promise.race([import(/* @vite-ignore */ href), unending])) as Record<string, unknown>;
  } finally {
    process.off("beforeExit", never);
  }
}

/** An error thrown by a function in the file is reported as an error of the file. */
export function moduleFailure(path: string, cause: unknown): Error {
  if (cause instanceof ErgodicError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const at = placeIn(path, cause);
  return new DataError(
    at ?? path,
    `fails: ${message.replace(/\.$/, "")}; fix it${at === undefined ? ", or run it with node to see where it fails" : ""}`,
    "MODEL_FILE",
    { cause },
  );
}

/**
 * Runs work that can call functions of the file. Errors thrown by these functions are reported with the line in the
 * file, unless they are our own errors.
 */
export async function blamingFile<T>(path: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (path === undefined || error instanceof ErgodicError || placeIn(path, error) === undefined) throw error;
    throw moduleFailure(path, error);
  }
}

const FRAME = /(?:^|\(|\bat )(file:\/\/[^()]+?|\/[^()]+?|[A-Za-z]:\\[^()]+?):(\d+)(?::(\d+))?\)?$/;
/** Folder of this command and its libraries. */
const OWN = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Returns "model.mjs:3:12", the place of the error in the user's code. The place is the first line of the stack that
 * lies in the file itself, or in another file that belongs neither to this program nor to a package. For syntax errors,
 * the place is above the stack, and a caret marks the column.
 */
function placeIn(path: string, cause: unknown): string | undefined {
  if (!(cause instanceof Error) || cause.stack === undefined) return undefined;
  const file = existsSync(path) ? realpathSync(path) : path;
  const lines = cause.stack.split("\n");
  for (const [i, line] of lines.entries()) {
    const [, named, row, column] = FRAME.exec(line.trim()) ?? [];
    if (named === undefined) continue;
    const found = named.startsWith("file:") ? fileURLToPath(named) : named;
    const shown = found === file ? path : relative(process.cwd(), found);
    const theirs = found === file || !(found.startsWith(OWN) || found.includes("/node_modules/"));
    if (theirs) return [shown, row, column ?? columnOfCaret(lines.slice(i + 1))].filter((part) => part !== undefined).join(":");
  }
  return undefined;
}

/** Returns the column that a caret marks, counted from 1. */
function columnOfCaret(below: readonly string[]): number | undefined {
  const caret = below.slice(0, 3).find((line) => /^\s*\^+\s*$/.test(line));
  return caret === undefined ? undefined : caret.indexOf("^") + 1;
}

/** Reads a JSON file. */
export async function loadedJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new DataError(path, "cannot be read: no such file", "FILE_READ", { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(path, `is not JSON: ${(cause as Error).message}; give an object of data by name`, "DATA_PARSE", {
      cause,
    });
  }
}
