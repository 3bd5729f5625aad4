/**
 * Exports of a user's JavaScript or TypeScript file. The file must resolve the same `ergodic` package as this command.
 *
 * Node reads TypeScript itself from 22.18 on. An older Node uses the `typescript` package, up to version 6, if it is
 * installed next to the file or this command.
 *
 * @throws UsageError for TypeScript that cannot be read here; DataError if the file cannot be read, or fails
 */
import { existsSync, realpathSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { createRequire, register } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DataError, ErgodicError } from "ergodic";
import { UsageError } from "../errors.ts";
import { relative } from "../terminal.ts";
import { located } from "./syntax-place.ts";

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

let registered = false;

function readTypes(flag: string, path: string, file: string): void {
  if ((process.features as { typescript?: unknown }).typescript || registered) return;
  registerCompiler(flag, path, [file, import.meta.url]);
  registered = true;
}

/**
 * Registers a compiler that can transform modules: the first one found near these files. @throws UsageError if there is
 * none
 */
export function registerCompiler(flag: string, path: string, near: readonly string[]): void {
  let lack = "";
  for (const compiler of near.map(compilerNear)) {
    if (compiler === undefined) continue;
    try {
      register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: { compiler } });
      // Makes errors refer to the user's lines rather than to the lines after type stripping.
      process.setSourceMapsEnabled(true);
      return;
    } catch (cause) {
      lack ||= `, and ${(cause as Error).message}`;
    }
  }
  throw new UsageError(
    flag,
    `${path} is TypeScript, which needs Node 22.18 or newer, but this is ${process.versions.node}${lack}; use a newer Node, add the package typescript@6, or convert it to ${path.replace(/\.m?ts$/, ".mjs")}`,
  );
}

function compilerNear(from: string): string | undefined {
  try {
    return pathToFileURL(createRequire(from).resolve("typescript")).href;
  } catch {
    return undefined;
  }
}

/** Source text of the loader hooks, which run in their own thread. */
const hooks = `
import { readFile } from "node:fs/promises";
let typescript;
export async function initialize({ compiler }) {
  typescript = (await import(compiler)).default;
  if (!typescript?.transpileModule) throw new Error("typescript " + typescript?.version + " here has no transpileModule()");
}
export async function load(url, context, next) {
  if (!/^file:.*\\.m?ts$/.test(url)) return next(url, context);
  const text = await readFile(new URL(url), "utf8");
  const { ModuleKind, ScriptTarget } = typescript;
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true, inlineSourceMap: true };
  const { outputText, diagnostics } = typescript.transpileModule(text, { compilerOptions, fileName: url, reportDiagnostics: true });
  const [fault] = diagnostics;
  if (fault?.start !== undefined) {
    const { line, character } = fault.file.getLineAndCharacterOfPosition(fault.start);
    const error = new SyntaxError(typescript.flattenDiagnosticMessageText(fault.messageText, " "));
    error.stack = "SyntaxError: " + error.message + "\\n    at " + url + ":" + (line + 1) + ":" + (character + 1);
    throw error;
  }
  return { format: "module", shortCircuit: true, source: outputText };
}
`;
