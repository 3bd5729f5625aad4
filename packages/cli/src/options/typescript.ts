/**
 * Loading of TypeScript files. Node reads them itself from 22.18 on, and from 22.13 on it can at least remove types. An
 * older Node uses a compiler that is installed next to the file or next to this command: `typescript` from version 5 on,
 * or `esbuild`. TypeScript 7 has no function that transforms a text, so its program `tsc` is run on each file.
 *
 * @throws UsageError if Node cannot read types and there is no compiler
 */
import { readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../errors.ts";

/** A compiler that the loader's hooks can use. `at`: URL of its module, or path of its program. */
export interface Compiler {
  readonly kind: "node" | "typescript" | "tsc" | "esbuild";
  readonly at: string;
}

/** Oldest version that leaves imports unchanged (verbatimModuleSyntax), as Node does. */
const OLDEST_TYPESCRIPT = 5;
/** First version without transpileModule(). */
const FIRST_PROGRAM = 7;

let registered = false;

/** Lets Node import TypeScript from now on. `file`: the user's file; `path`: its name in messages. */
export function readTypes(flag: string, path: string, file: string): void {
  if ((process.features as { typescript?: unknown }).typescript || registered) return;
  registerCompiler(flag, path, [file, import.meta.url]);
  registered = true;
}

/** Registers the first compiler near these files that works, or Node's own. */
export function registerCompiler(flag: string, path: string, near: readonly string[]): void {
  const compilers: (Compiler | Error)[] =
    "stripTypeScriptTypes" in nodeModule ? [{ kind: "node", at: "" }] : near.flatMap(compilersNear);
  let lack = "";
  for (const compiler of compilers) {
    try {
      if (compiler instanceof Error) throw compiler;
      nodeModule.register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: compiler });
      // Makes errors refer to the user's lines rather than to the compiler's.
      process.setSourceMapsEnabled(true);
      return;
    } catch (cause) {
      lack ||= `, and ${(cause as Error).message}`;
    }
  }
  throw new UsageError(
    flag,
    `${path} is TypeScript, which Node ${process.versions.node} cannot read without a compiler${lack}; install one (npm install --save-dev typescript), use Node 22.18 or newer, or convert the file to ${path.replace(/\.m?ts$/, ".mjs")}`,
  );
}

/** Compilers that `from` resolves. An error represents a package that is too old. */
export function compilersNear(from: string): (Compiler | Error)[] {
  const { resolve } = nodeModule.createRequire(from);
  const found: (Compiler | Error)[] = [];
  const attempt = (find: () => Compiler | Error): void => {
    try {
      found.push(find());
    } catch {
      // The package is not installed.
    }
  };
  attempt(() => {
    const about = resolve("typescript/package.json");
    const { version } = JSON.parse(readFileSync(about, "utf8")) as { version: string };
    const major = Number.parseInt(version, 10);
    if (major < OLDEST_TYPESCRIPT) return new Error(`typescript ${version} is too old`);
    if (major >= FIRST_PROGRAM) return { kind: "tsc", at: join(dirname(about), "bin/tsc") };
    return { kind: "typescript", at: pathToFileURL(resolve("typescript")).href };
  });
  attempt(() => ({ kind: "esbuild", at: pathToFileURL(resolve("esbuild")).href }));
  return found;
}

/**
 * Source text of the loader hooks, which run in their own thread. Every compiler returns JavaScript with a source map,
 * or throws `failure` for a syntax error: an error whose stack is its place, counted from 1.
 */
const hooks = `
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const failure = (url, line, column, message) => {
  const error = new SyntaxError(message);
  error.stack = "SyntaxError: " + message + "\\n    at " + url + ":" + line + ":" + column;
  return error;
};

const kinds = {
  node: () => (text, url) => {
    try {
      return nodeModule.stripTypeScriptTypes(text);
    } catch (cause) {
      // Node writes the place above the stack: the line, the text and a caret.
      const [, line, before] = /^.*:(\\d+)\\n[^]*?\\n( *)\\^/.exec(cause.stack) ?? [];
      if (line === undefined) throw cause;
      throw failure(url, line, before.length + 1, cause.message);
    }
  },
  async typescript(at) {
    const typescript = (await import(at)).default;
    const { ModuleKind, ScriptTarget } = typescript;
    const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true, inlineSourceMap: true };
    return (text, url) => {
      const { outputText, diagnostics } = typescript.transpileModule(text, { compilerOptions, fileName: url, reportDiagnostics: true });
      const [fault] = diagnostics;
      if (fault?.start === undefined) return outputText;
      const { line, character } = fault.file.getLineAndCharacterOfPosition(fault.start);
      throw failure(url, line + 1, character + 1, typescript.flattenDiagnosticMessageText(fault.messageText, " "));
    };
  },
  tsc(at) {
    const fixed = "--ignoreConfig --noCheck --noResolve --noLib --module esnext --target es2022 --verbatimModuleSyntax --inlineSourceMap --pretty false".split(" ");
    return (text, url) => {
      const file = fileURLToPath(url);
      const folder = mkdtempSync(join(tmpdir(), "ergodic-"));
      try {
        const words = [...fixed, "--sourceRoot", new URL(".", url).href, "--rootDir", dirname(file), "--outDir", folder, file];
        let said = "";
        try {
          execFileSync(process.execPath, [at, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
        } catch (cause) {
          // Without a library, tsc always fails. Only syntax errors, TS1000 to TS1999, matter.
          said = String(cause.stdout);
          if (said === "") throw cause;
        }
        const [, line, column, message] = /\\((\\d+),(\\d+)\\): error TS1\\d{3}: (.*)/.exec(said) ?? [];
        if (line !== undefined) throw failure(url, line, column, message);
        return readFileSync(join(folder, basename(file).replace(/ts$/, "js")), "utf8");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    };
  },
  async esbuild(at) {
    const { transformSync } = (await import(at)).default;
    const options = { loader: "ts", format: "esm", target: "es2022", sourcemap: "inline", logLevel: "silent", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } } };
    return (text, url) => {
      try {
        return transformSync(text, { ...options, sourcefile: basename(fileURLToPath(url)) }).code;
      } catch (cause) {
        const [{ text: message, location }] = cause.errors ?? [{}];
        if (!location) throw cause;
        throw failure(url, location.line, location.column + 1, message);
      }
    };
  },
};

let compile;
export async function initialize({ kind, at }) {
  compile = await kinds[kind](at);
}
export async function load(url, context, next) {
  if (!/^file:.*\\.m?ts$/.test(url)) return next(url, context);
  const source = compile(await readFile(new URL(url), "utf8"), url);
  return { format: "module", shortCircuit: true, source };
}
`;
