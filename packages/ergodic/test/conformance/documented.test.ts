/**
 * Documentation that editors show: every public export and every option has a doc comment. A step rule's options are
 * inferred from its defaults, so the rule's own comment names each of them. Lines fit into a hover without wrapping
 * twice. Examples compile as written, so their names, options and results exist in the library.
 */
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { ruleRegistry } from "../../src/entries/rules.ts";
import { exampleModule } from "./documented-examples.ts";
import { heldClasses, statedName } from "./held-classes.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const sources = fileURLToPath(new URL("../../../", import.meta.url));
const entries = [
  ...["index", "learning", "rules", "layers", "losses", "bayes", "distributions", "graphs", "search", "data", "predict"].map(
    (name) => `ergodic/src/entries/${name}.ts`,
  ),
  "ergodic/src/predict/calibration/index.ts",
  "ergodic/src/predict/explain/index.ts",
  "ergodic/src/entries/compiler.ts",
  "ergodic/src/entries/extend.ts",
  "ergodic/src/entries/diagnostics.ts",
  "ergodic/src/join/worker/index.ts",
  "ingest/src/index.ts",
  "ingest/src/graphs/index.ts",
  "ingest/src/draws.ts",
  "serve/src/index.ts",
].map((path) => sources + path);
const LONGEST = 160;

/** Place of the module of examples, which exists only in memory. */
const examples = `${sources}ergodic/test/conformance/documented-examples.generated.ts`;
const exampleText = exampleModule();
const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config as object;
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists, readFile } = host;
host.getSourceFile = (name, version, ...rest) =>
  name === examples ? ts.createSourceFile(name, exampleText, version, true) : getSourceFile(name, version, ...rest);
host.fileExists = (name) => name === examples || fileExists(name);
host.readFile = (name) => (name === examples ? exampleText : readFile(name));
const program = ts.createProgram([...entries, examples], { ...options, noUnusedLocals: false, types: [] }, host);
const checker = program.getTypeChecker();

const textOf = (symbol: ts.Symbol): string => ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
/** Tags alone, such as `@throws`, do not describe a symbol. */
const documented = (symbol: ts.Symbol): boolean => textOf(symbol) !== "";
const original = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function placeOf(symbol: ts.Symbol): string {
  const declaration = symbol.declarations?.[0];
  if (!declaration) return "?";
  const file = declaration.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(declaration.getStart());
  return `${file.fileName.slice(sources.length)}:${line + 1}`;
}

const isOwn = (symbol: ts.Symbol): boolean =>
  symbol.declarations?.some((d) => d.getSourceFile().fileName.includes("/src/")) ?? false;

interface Exported {
  entry: string;
  name: string;
  symbol: ts.Symbol;
}
const exported: Exported[] = entries.flatMap((entry) => {
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  return checker
    .getExportsOfModule(module)
    .map((symbol) => ({ entry: entry.slice(sources.length), name: symbol.name, symbol: original(symbol) }));
});

test("the root entry exports at most 150 names, apart from the types of results", () => {
  const types = checker.getSymbolAtLocation(program.getSourceFile(`${sources}ergodic/src/entries/result-types.ts`)!)!;
  const ofResults = new Set(checker.getExportsOfModule(types).map(({ name }) => name));
  const names = exported.filter(({ entry, name }) => entry === "ergodic/src/entries/index.ts" && !ofResults.has(name));
  expect(names.length).toBeLessThanOrEqual(150);
});

test("every public name is listed in surface.txt (vitest -u on this file updates the list)", async () => {
  const names = (entry: string): string[] =>
    exported
      .filter((one) => one.entry === entry)
      .map(({ name }) => name)
      .sort();
  const all = [...new Set(exported.map(({ entry }) => entry))].map((entry) => `${entry}\n  ${names(entry).join("\n  ")}\n`);
  await expect(all.join("\n")).toMatchFileSnapshot("./surface.txt");
});

/** Tags that doc comments use. */
const TAGS = ["throws", "example", "param", "returns", "internal", "typeParam", "see"];

/** Tags of all doc comments, with their files. */
function tagsOfSources(): { file: string; tag: ts.JSDocTag }[] {
  const found = new Map<ts.JSDocTag, string>();
  const visit = (node: ts.Node): void => {
    for (const { tags = [] } of ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc))
      for (const tag of tags) found.set(tag, node.getSourceFile().fileName.slice(sources.length));
    ts.forEachChild(node, visit);
  };
  const files = program.getSourceFiles().filter(({ fileName }) => /\/src\/.*\.ts$/.test(fileName));
  files.filter(({ fileName }) => fileName.startsWith(sources)).forEach(visit);
  return [...found].map(([tag, file]) => ({ file, tag }));
}

test("no doc comment has a word that editors take for a tag, such as the name of a scoped package", () => {
  const all = tagsOfSources().map(({ file, tag }) => `${file} @${tag.tagName.text}`);
  expect(all.length).toBeGreaterThan(500);
  expect(all.filter((tag) => !TAGS.some((known) => tag.endsWith(` @${known}`)))).toEqual([]);
});

test("every @example is a block of TypeScript", () => {
  const all = tagsOfSources().filter(({ tag }) => tag.tagName.text === "example");
  expect(all.length).toBeGreaterThan(40);
  const wrong = all.filter(({ tag }) => {
    const [, code] = /^```ts\n(.*)\n```$/s.exec(ts.getTextOfJSDocComment(tag.comment)?.trim() ?? "") ?? [];
    const text = `async function example() {\n${code?.replace(/…/g, "0")}\n}`;
    const { diagnostics = [] } = ts.transpileModule(text, { reportDiagnostics: true });
    return code === undefined || diagnostics.length > 0;
  });
  expect(wrong.map(({ file, tag }) => `${file}: ${ts.getTextOfJSDocComment(tag.comment)}`)).toEqual([]);
});

/** Members of a type that the library declares, each listed once. */
function membersOf(type: ts.Type): ts.Symbol[] {
  const parts = type.isUnion() ? type.types : [type];
  return parts.flatMap((part) => checker.getPropertiesOfType(part)).filter(isOwn);
}

/** Whether the library declares the member, excluding private members, symbols and members of every function. */
function isPublic(member: ts.Symbol): boolean {
  const [declaration] = member.declarations ?? [];
  if (!declaration || !isOwn(member) || member.name.startsWith("__")) return false;
  if (ts.isClassElement(declaration) && declaration.name && ts.isPrivateIdentifier(declaration.name)) return false;
  return !(ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));
}

test("every class that users can hold states its name, because bundlers rename classes and errors print their names", () => {
  const symbols = new Set(exported.map(({ symbol }) => symbol));
  const classes = heldClasses(checker, symbols, isPublic);
  const names = classes.map((one) => one.name!.text);
  // Exported, returned by a function, an argument of a type, and a member of a member.
  for (const name of ["Answer", "KnowledgeBase", "Draws", "Run", "DataError", "Unknowns"]) expect(names).toContain(name);
  const wrong = classes.filter((one) => statedName(one) !== one.name!.text);
  expect(wrong.map((one) => `${one.getSourceFile().fileName.slice(sources.length)}: ${one.name!.text}`)).toEqual([]);
});

/** A type of options and the function that accepts it. */
interface Taken {
  name: string;
  type: ts.Type;
  taker?: ts.Symbol;
}

/** Types of options: types with such a name, and types of parameters with such a name in exported functions. */
function optionTypes(): Taken[] {
  const named = exported
    .filter(
      ({ name, symbol }) =>
        /(Options|Settings)$/.test(name) && symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias),
    )
    .map(({ name, symbol }): Taken => ({ name, type: checker.getDeclaredTypeOfSymbol(symbol) }));
  const taken = exported
    .filter(({ symbol }) => symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable))
    .flatMap(({ name, symbol }) => {
      const declaration = symbol.valueDeclaration!;
      const type = checker.getTypeOfSymbolAtLocation(symbol, declaration);
      return type
        .getCallSignatures()
        .flatMap((signature) => signature.getParameters())
        .filter((parameter) => /^(options|given|settings|how)$/.test(parameter.name))
        .map((parameter): Taken => ({ name, type: checker.getTypeOfSymbol(parameter), taker: symbol }));
    });
  return [...named, ...taken].map((one) => ({ ...one, type: checker.getNonNullableType(one.type) }));
}

describe("every public export", () => {
  test.each(entries.map((entry) => entry.slice(sources.length)))("has a doc comment: %s", (entry) => {
    const all = exported.filter((one) => one.entry === entry);
    expect(all.length).toBeGreaterThan(0);
    const bare = all.filter(({ symbol }) => !documented(symbol)).map(({ name, symbol }) => `${placeOf(symbol)} ${name}`);
    expect(bare).toEqual([]);
  });
});

/**
 * Whether a member belongs to a type literal in a signature or to a literal of defaults. Neither has a name that
 * comments could be attached to.
 */
const unnamed = (member: ts.Symbol): boolean =>
  !!member.declarations?.some(
    (one) =>
      ts.isPropertyAssignment(one) ||
      ts.isShorthandPropertyAssignment(one) ||
      (ts.isPropertySignature(one) && ts.isTypeLiteralNode(one.parent)),
  );

test("every option has a doc comment or is named in the doc comment of its function", () => {
  const bare = new Set<string>();
  const seen = new Set<ts.Symbol>();
  for (const { name, type, taker } of optionTypes())
    for (const member of membersOf(type)) {
      seen.add(member);
      if (documented(member) || (taker && unnamed(member) && textOf(taker).includes(`\`${member.name}\``))) continue;
      bare.add(`${placeOf(member)} ${name}.${member.name}`);
    }
  expect(seen.size).toBeGreaterThan(400);
  expect([...bare]).toEqual([]);
});

test("every public member of an exported class or interface has a doc comment", () => {
  const bare = new Set<string>();
  let count = 0;
  for (const { name, symbol } of exported) {
    if (!(symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))) continue;
    const own = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
    const fixed = symbol.flags & ts.SymbolFlags.Class ? checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol)) : [];
    for (const member of [...own, ...fixed].filter(isPublic)) {
      count++;
      if (!documented(member)) bare.add(`${placeOf(member)} ${name}.${member.name}`);
    }
  }
  expect(count).toBeGreaterThan(1500);
  expect([...bare]).toEqual([]);
});

test("every function of the root entry with two or more parameters, and every main reader, documents each parameter", () => {
  const readers = ["readCsv", "readTable", "readJsonLines", "readLibsvm", "readVw", "readParquet", "readImages", "readNpy"];
  const others = [...readers, "readIdxDataset", "blocks", "read", "serve"];
  const found = exported.flatMap(({ entry, name, symbol }) => {
    if (!(symbol.flags & ts.SymbolFlags.Value)) return [];
    const signatures = checker.getTypeOfSymbol(symbol).getCallSignatures();
    const isLong = signatures.some((signature) => signature.getParameters().length > 1);
    if (!others.includes(name) && !(isLong && entry === "ergodic/src/entries/index.ts")) return [];
    const parameters = signatures.flatMap((signature) => signature.getParameters().map((parameter) => parameter.name));
    const tags = symbol.getJsDocTags(checker).filter((tag) => tag.name === "param");
    const texts = tags.map(({ text }) => ts.displayPartsToString(text).trim());
    const bare = [...new Set(parameters)].filter((parameter) => !texts.some((text) => text.startsWith(`${parameter} `)));
    return [{ name, bare: bare.map((parameter) => `${placeOf(symbol)} ${name}: @param ${parameter}`) }];
  });
  const names = found.map(({ name }) => name);
  expect(others.filter((name) => !names.includes(name))).toEqual([]);
  expect(new Set(names).size).toBeGreaterThan(50);
  expect(found.flatMap(({ bare }) => bare)).toEqual([]);
});

test("the comment of a step rule names each of its options", () => {
  const rules = exported.filter(
    ({ entry, name }) => entry === "ergodic/src/entries/rules.ts" && Object.hasOwn(ruleRegistry, name),
  );
  expect(rules.map(({ name }) => name).sort()).toEqual(
    Object.keys(ruleRegistry)
      .filter((name) => name !== "chain")
      .sort(),
  );
  const left = rules.flatMap(({ name, symbol }) =>
    Object.keys(ruleRegistry[name].make().options)
      .filter((option) => !textOf(symbol).includes(`\`${option}\``))
      .map((option) => `${placeOf(symbol)} ${name}: ${option}`),
  );
  expect(left).toEqual([]);
});

/** Mistakes listed in STYLE that confuse a reader of English. */
const SLIPS = /\b(go(es|ne)? on|but for|le(ave|aves|ft) out|in words|by itself|by themselves|stands? (for|beside)|beside)\b/g;

test("doc comments of public exports are plain English", () => {
  const slips = exported.flatMap(({ name, symbol }) => {
    const members =
      symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface) ? checker.getDeclaredTypeOfSymbol(symbol) : undefined;
    const all = [symbol, ...(members ? checker.getPropertiesOfType(members).filter(isPublic) : [])];
    return all.flatMap((one) => (textOf(one).match(SLIPS) ?? []).map((slip) => `${placeOf(one)} ${name}: "${slip}"`));
  });
  expect([...new Set(slips)]).toEqual([]);
});

test("no doc comment of a public export is too wide for an editor's hover", () => {
  const wide = exported.flatMap(({ symbol }) => {
    const [declaration] = symbol.declarations ?? [];
    const lines = declaration ? ts.getJSDocCommentsAndTags(declaration).flatMap((comment) => comment.getText().split("\n")) : [];
    return lines.filter((line) => line.length > LONGEST).map((line) => `${placeOf(symbol)} ${line.slice(0, 60)}…`);
  });
  expect([...new Set(wide)]).toEqual([]);
});

test("examples in doc comments compile", () => {
  const file = program.getSourceFile(examples)!;
  const faults = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
    ({ messageText, start = 0 }) => {
      const line = exampleText.slice(exampleText.lastIndexOf("\n", start) + 1).split("\n")[0];
      return `${ts.flattenDiagnosticMessageText(messageText, " ")} — ${line.trim()}`;
    },
  );
  expect(faults).toEqual([]);
});
