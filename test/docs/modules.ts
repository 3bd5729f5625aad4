/**
 * A document's code as TypeScript modules, type-checked next to the sources and then run in this process.
 *
 * Blocks that name no file form one module in the document's folder and import the library as users do. Blocks that
 * name a file are placed at its path, so that their relative imports are those of a real source. Nothing is written to
 * disk.
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import ts from "typescript";
import type { Block, Document } from "./blocks.ts";

export interface Modules {
  root: string;
  /** Modules by absolute path. The document's own module is `main`. */
  sources: Map<string, string>;
  main: string;
  /** The blocks of `main`, in order. */
  blocks: Block[];
}

const mark = (k: number): string => `globalThis.__block(${k});\n`;

export function modulesOf({ path, blocks }: Document, root: URL): Modules {
  const folder = fileURLToPath(root);
  const main = resolve(folder, `${path}.ts`);
  const code = blocks.filter(({ language }) => language === "ts");
  const own = code.filter(({ file }) => file === undefined);
  const sources = new Map<string, string>();
  // Other lines become blank, so that an error reports the document's line.
  let text = "";
  for (const [k, block] of own.entries()) {
    text += "\n".repeat(Math.max(0, block.line - 2 - (text.match(/\n/g)?.length ?? 0))) + mark(k) + block.code;
  }
  sources.set(main, `${text}\nexport {};\n`);
  for (const { file, code: source } of code) if (file && !isKernel(file)) sources.set(resolve(folder, file), source);
  return { root: folder, sources, main, blocks: own };
}

/** Kernels are AssemblyScript, which has its own compiler. */
export const isKernel = (file: string): boolean => file.includes("/kernels/");

/** The options that `tsc --init` adds to "strict", for code that users paste into their own projects. */
export const NEW_PROJECT: ts.CompilerOptions = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };

/** Errors of the compiler about the modules of documents, under the repository's options and `more`. */
export function typeErrors(all: readonly Modules[], more: ts.CompilerOptions = {}): string[] {
  const { root } = all[0];
  const configPath = resolve(root, "tsconfig.json");
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(configPath, ts.sys.readFile).config, ts.sys, root);
  const ambient = resolve(root, "documents.d.ts");
  const virtual = new Map([
    ...all.flatMap(({ sources }) => [...sources]),
    [ambient, "declare var __block: (k: number) => void;"],
  ]);
  const checked: ts.CompilerOptions = { ...options, ...more, noUnusedLocals: false, noEmit: true };
  const host = ts.createCompilerHost(checked);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => virtual.has(resolve(name)) || fileExists(name);
  host.readFile = (name) => virtual.get(resolve(name)) ?? readFile(name);
  host.getSourceFile = (name, languageOrOptions, ...rest) => {
    const text = virtual.get(resolve(name));
    return text === undefined
      ? getSourceFile(name, languageOrOptions, ...rest)
      : ts.createSourceFile(name, text, languageOrOptions, true);
  };
  const program = ts.createProgram([...virtual.keys()], checked, host);
  const diagnostics = [...virtual.keys()].flatMap((name) => {
    const file = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  });
  return diagnostics.map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName.slice(root.length)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

type Namespace = Record<string, unknown>;

export interface Hooks {
  /** Replaces an imported module with another one. */
  override?: (path: string, real: Namespace) => Namespace;
  /** Called with the exports of each of the document's own modules. */
  loaded?: (path: string, exports: Namespace) => void;
}

/** Runs the document's module, and `entries` in their order. Returns the printed output of each block. */
export async function runModules(
  { sources, main, blocks }: Modules,
  { override = (_, real) => real, loaded = () => {} }: Hooks = {},
  entries: readonly string[] = [main],
): Promise<string[]> {
  const printed = blocks.map(() => "");
  let block = 0;
  const console = { log: (...values: unknown[]) => void (printed[block] += `${format(...values)}\n`) };
  const made = new Map<string, Promise<Namespace>>();
  const load = (path: string): Promise<Namespace> => {
    const known = made.get(path) ?? evaluate(path);
    made.set(path, known);
    return known;
  };
  const locate = (from: string, specifier: string): string =>
    specifier.startsWith(".") ? resolve(dirname(from), specifier) : specifier;
  async function evaluate(path: string): Promise<Namespace> {
    const source = sources.get(path);
    if (source === undefined) return override(path, (await import(/* @vite-ignore */ path)) as Namespace);
    const imported = new Map<string, Namespace>();
    for (const { fileName } of ts.preProcessFile(source).importedFiles)
      imported.set(fileName, await load(locate(path, fileName)));
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    const exports: Namespace = {};
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as FunctionConstructor;
    const globals = { __block: (k: number) => void (block = k) };
    await new AsyncFunction("require", "exports", "console", "globalThis", outputText)(
      (specifier: string) => imported.get(specifier),
      exports,
      console,
      globals,
    );
    loaded(path, exports);
    return exports;
  }
  for (const entry of entries) await load(entry);
  return printed;
}
