// Reads the sources with TypeScript's compiler: the exports of entry points, their signatures, options and comments.
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Options that only affect how modules are found and which types of the language exist. */
const options = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ["lib.es2023.d.ts"],
  types: [],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  customConditions: ["@ergodic/source"],
};

/** Entry points by the name under which users import them, and their files. */
export const entryFiles = {
  ergodic: "packages/ergodic/src/entries/index.ts",
  "ergodic/learning": "packages/ergodic/src/entries/learning.ts",
  "ergodic/bayes": "packages/ergodic/src/entries/bayes.ts",
  "ergodic/graphs": "packages/ergodic/src/entries/graphs.ts",
  "ergodic/search": "packages/ergodic/src/entries/search.ts",
  "ergodic/predict": "packages/ergodic/src/entries/predict.ts",
  "ergodic/predict/async": "packages/ergodic/src/predict/async.ts",
  "ergodic/calibration": "packages/ergodic/src/predict/calibration/index.ts",
  "ergodic/explain": "packages/ergodic/src/predict/explain/index.ts",
  "ergodic/data": "packages/ergodic/src/entries/data.ts",
  "ergodic/worker": "packages/ergodic/src/join/worker/index.ts",
  "ergodic/extend": "packages/ergodic/src/entries/extend.ts",
  "ergodic/rules": "packages/ergodic/src/entries/rules.ts",
  "ergodic/distributions": "packages/ergodic/src/entries/distributions.ts",
  "ergodic/layers": "packages/ergodic/src/entries/layers.ts",
  "ergodic/losses": "packages/ergodic/src/entries/losses.ts",
  "@ergodic/ingest": "packages/ingest/src/index.ts",
  "@ergodic/ingest/graphs": "packages/ingest/src/graphs/index.ts",
  "@ergodic/ingest/draws": "packages/ingest/src/draws.ts",
  "@ergodic/serve": "packages/serve/src/index.ts",
  "@ergodic/plots": "packages/plots/src/index.ts",
};

/** @typedef {keyof typeof entryFiles} Entry */
/** @typedef {{ program: ts.Program, checker: ts.TypeChecker }} Sources */

/** @type {Sources | undefined} */
let read;

/** Reads the sources once. Other packages than this repository's are left out, because no page describes them. */
export function readSources() {
  if (read) return read;
  const host = ts.createCompilerHost(options);
  host.resolveModuleNameLiterals = (literals, file, redirected, settings) =>
    literals.map(({ text }) =>
      /^(\.|@?ergodic)/.test(text)
        ? ts.resolveModuleName(text, file, settings, host, undefined, redirected, ts.ModuleKind.ESNext)
        : { resolvedModule: undefined },
    );
  const program = ts.createProgram(
    Object.values(entryFiles).map((file) => root + file),
    options,
    host,
  );
  read = { program, checker: program.getTypeChecker() };
  return read;
}

/** A path relative to the repository. @param {ts.Node} node */
export const fileOf = (node) => node.getSourceFile().fileName.slice(root.length);

/**
 * Exported values of an entry point by name, with re-exports resolved.
 *
 * @param {Entry} entry
 * @returns {Map<string, ts.Symbol>}
 */
export function exportsOf(entry) {
  const { program, checker } = readSources();
  const file = program.getSourceFile(root + entryFiles[entry]);
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`${entryFiles[entry]} is not a module`);
  const exports = checker.getExportsOfModule(module).filter(({ declarations }) => !declarations?.some(isTypeOnly));
  const symbols = exports.map((symbol) => {
    const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return /** @type {[string, ts.Symbol]} */ ([symbol.name, real]);
  });
  return new Map(symbols.filter(([, { flags }]) => flags & ts.SymbolFlags.Value));
}

/** An exported type. @param {Entry} entry @param {string} name */
function typeNamed(entry, name) {
  const { program, checker } = readSources();
  const file = program.getSourceFile(root + entryFiles[entry]);
  const module = file && checker.getSymbolAtLocation(file);
  const symbol = module && checker.getExportsOfModule(module).find((one) => one.name === name);
  if (!symbol) throw new Error(`${entry} does not export ${name}`);
  const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return checker.getDeclaredTypeOfSymbol(real);
}

/** Options of an exported type. @param {Entry} entry @param {string} name */
export const optionsOfType = (entry, name) => propertiesOf(typeNamed(entry, name));

/** Public methods of an exported type, in the order of the source. @param {Entry} entry @param {string} name */
export function methodsOfType(entry, name) {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return readSources()
    .checker.getPropertiesOfType(typeNamed(entry, name))
    .filter(({ name, valueDeclaration: node }) => node && isOurs(node) && /^[a-z]/i.test(name) && isMethod(node))
    .filter(({ valueDeclaration: node }) => node && !(ts.getCombinedModifierFlags(node) & hidden));
}

/** @param {ts.Node} node */
const isMethod = (node) => ts.isMethodDeclaration(node) || ts.isMethodSignature(node);

/**
 * Properties of an object that a file declares as a constant, with their comments and texts.
 *
 * @param {string} path relative to the repository
 * @param {string} name
 */
export function objectIn(path, name) {
  const file = readSources().program.getSourceFile(root + path);
  /** @type {Map<string, { comment: string, text: string }>} */
  const found = new Map();
  file?.forEachChild((statement) => {
    if (!ts.isVariableStatement(statement)) return;
    for (const { name: declared, initializer } of statement.declarationList.declarations) {
      const value = initializer && ts.isSatisfiesExpression(initializer) ? initializer.expression : initializer;
      if (declared.getText() !== name || !value || !ts.isObjectLiteralExpression(value)) continue;
      for (const property of value.properties) {
        const symbol = property.name && readSources().checker.getSymbolAtLocation(property.name);
        if (symbol) found.set(symbol.name, { comment: commentOf(symbol), text: property.getText() });
      }
    }
  });
  return found;
}

/** Whether a name is exported as a type. @param {ts.Declaration} node */
const isTypeOnly = (node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly);

/** Signatures of an exported function. @param {ts.Symbol} symbol */
export const signaturesOf = (symbol) => readSources().checker.getTypeOfSymbol(symbol).getCallSignatures();

/** Whether a declaration is in this repository's sources rather than in the language's library. @param {ts.Node} [node] */
const isOurs = (node) => node !== undefined && fileOf(node).startsWith("packages/");

/**
 * Functions attached to an exported function or class, such as `fit.resume` and `Dataset.fromArrays`.
 *
 * @param {ts.Symbol} symbol
 */
export function attachedTo(symbol) {
  const { checker } = readSources();
  const type = checker.getTypeOfSymbol(symbol);
  if (type.getCallSignatures().length + type.getConstructSignatures().length === 0) return [];
  return checker
    .getPropertiesOfType(type)
    .filter(({ name, valueDeclaration: node }) => isOurs(node) && /^[a-z]/i.test(name) && name !== "declaration")
    .filter((property) => signaturesOf(property).length > 0);
}

/** The symbol that a property of an object refers to, as in `{ resume, check: checkOptions }`. @param {ts.Symbol} symbol */
function referred(symbol) {
  const { checker } = readSources();
  const node = symbol.valueDeclaration;
  let found;
  if (node && ts.isShorthandPropertyAssignment(node)) found = checker.getShorthandAssignmentValueSymbol(node);
  if (node && ts.isPropertyAssignment(node)) found = checker.getSymbolAtLocation(node.initializer);
  return found && found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : (found ?? symbol);
}

/** @param {ts.Symbol} symbol */
const ownComment = (symbol) => ts.displayPartsToString(symbol.getDocumentationComment(readSources().checker)).trim();

/** The comment of a declaration, without tags. @param {ts.Symbol} symbol */
export const commentOf = (symbol) => ownComment(symbol) || ownComment(referred(symbol));

/** Name of a signature's return type, without type arguments. @param {ts.Signature} signature */
export const returnedName = (signature) => /^\w+/.exec(readSources().checker.typeToString(signature.getReturnType()))?.[0] ?? "";

/** @param {string} text */
const oneLine = (text) =>
  text
    .replace(/\/\*\*[\s\S]*?\*\/|\/\/.*$/gm, "")
    .replace(/\s+/g, " ")
    .trim();

/**
 * A call as one line: `sample(model: M, data: SampleDataOf<M>, options?: SampleOptions): Run<Draws>`.
 *
 * @param {string} name
 * @param {ts.Signature} signature
 */
export function signatureLine(name, signature) {
  const { checker } = readSources();
  const parameters = signature.parameters.map((parameter) => {
    const node = /** @type {ts.ParameterDeclaration | undefined} */ (parameter.valueDeclaration);
    const optional = node && ts.isParameter(node) && (node.questionToken || node.initializer) ? "?" : "";
    const dots = node && ts.isParameter(node) && node.dotDotDotToken ? "..." : "";
    const written = node && ts.isParameter(node) && ts.isIdentifier(node.name) ? parameter.name : "options";
    const given = node?.type && !/\btypeof\b/.test(node.type.getText()) ? oneLine(node.type.getText()) : undefined;
    const type = given ?? printed(checker.getTypeOfSymbol(parameter));
    return `${dots}${written === "given" ? "options" : written}${optional}: ${type}`;
  });
  const type = signature.declaration?.type;
  const returned = type ? oneLine(type.getText()) : printed(signature.getReturnType());
  return `${name}(${parameters.join(", ")}): ${returned}`;
}

/** @typedef {{ name: string, type: string, required: boolean, comment: string, fallback?: string }} Option */

/**
 * The object of options among a function's parameters: the last parameter with that name or kind of type.
 *
 * @param {ts.Signature} signature
 * @returns {{ key: string, options: Option[] } | undefined}
 */
export function optionsOf(signature) {
  const { checker } = readSources();
  for (const parameter of [...signature.parameters].reverse()) {
    const node = /** @type {ts.ParameterDeclaration | undefined} */ (parameter.valueDeclaration);
    if (!node || (!/^(options|given|plan)$/.test(parameter.name) && !ts.isObjectBindingPattern(node.name))) continue;
    const type = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
    if (type.getCallSignatures().length > 0 || checker.isArrayType(type) || checker.isTupleType(type)) continue;
    const found = propertiesOf(type);
    if (found.length > 0) return { key: found.map(({ name, type, comment }) => [name, type, comment]).join(), options: found };
  }
  return undefined;
}

/** Properties of a type, as options. @param {ts.Type} type @returns {Option[]} */
export function propertiesOf(type) {
  const { checker } = readSources();
  const found = checker.getPropertiesOfType(type).flatMap((property) => {
    const node = property.valueDeclaration ?? property.declarations?.[0];
    return node && isOurs(node) ? [{ property, node, file: fileOf(node) }] : [];
  });
  // TypeScript's own order depends on what was read before.
  /** @param {string} file */
  const share = (file) => found.filter((one) => one.file === file).length;
  found.sort((a, b) => share(b.file) - share(a.file) || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.node.pos - b.node.pos));
  return found.map(({ property, node }) => ({
    name: property.name,
    type: typeText(property, node),
    required: !(property.flags & ts.SymbolFlags.Optional),
    comment: commentOf(property),
    fallback: literalOf(node),
  }));
}

/** The literal that a declaration of defaults gives, as in `{ rate: 0.01 }`. @param {ts.Declaration} node */
const literalOf = (node) =>
  ts.isPropertyAssignment(node) && !/[ (]|^[a-z]\w*$(?<!true|false)|null/.test(node.initializer.getText())
    ? node.initializer.getText().replaceAll("_", "")
    : undefined;

/** A type as text, with the members of a union in alphabetical order: TypeScript's order depends on what was read before. */
const printed = (/** @type {ts.Type} */ type) => {
  const text = readSources().checker.typeToString(type);
  const members = text.split(" | ").filter((member) => member !== "undefined");
  return /[({<].* \| .*[)}>]/.test(text) ? text : members.sort().join(" | ");
};

/** @type {Set<ts.Symbol> | undefined} */
let exported;

/** Types that users can import, which pages name instead of showing their definitions. */
function exportedTypes() {
  const { checker, program } = readSources();
  exported ??= new Set(
    Object.values(entryFiles).flatMap((path) => {
      const file = program.getSourceFile(root + path);
      const module = file && checker.getSymbolAtLocation(file);
      const all = module ? checker.getExportsOfModule(module) : [];
      return all.map((one) => (one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one));
    }),
  );
  return exported;
}

/** Longest alias that is shown by its definition. */
const LONGEST_ALIAS = 90;

/** @param {ts.Symbol} property @param {ts.Declaration} node */
function typeText(property, node) {
  const { checker } = readSources();
  if (ts.isMethodSignature(node) || ts.isMethodDeclaration(node)) {
    const parameters = node.parameters.map((parameter) => oneLine(parameter.getText()));
    return `(${parameters.join(", ")}) => ${node.type ? oneLine(node.type.getText()) : "unknown"}`;
  }
  const type = "type" in node ? /** @type {ts.TypeNode | undefined} */ (node.type) : undefined;
  if (!type) return printed(checker.getTypeOfSymbol(property));
  if (ts.isTypeReferenceNode(type) && !type.typeArguments) {
    const symbol = checker.getSymbolAtLocation(type.typeName);
    const real = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const alias = real?.declarations?.find(ts.isTypeAliasDeclaration);
    const written = alias && !alias.typeParameters ? oneLine(alias.type.getText()) : "";
    const shown = written.length > 0 && written.length <= LONGEST_ALIAS && !/\b(typeof|keyof)\b/.test(written);
    if (real && shown && !exportedTypes().has(real)) return written.replace(/^\| /, "");
  }
  if (ts.isIndexedAccessTypeNode(type) && ts.isLiteralTypeNode(type.indexType) && ts.isStringLiteral(type.indexType.literal)) {
    const named = checker.getPropertyOfType(checker.getTypeFromTypeNode(type.objectType), type.indexType.literal.text);
    if (named?.valueDeclaration) return typeText(named, named.valueDeclaration);
  }
  const written = oneLine(type.getText());
  return /\bkeyof typeof\b/.test(written) ? printed(checker.getTypeFromTypeNode(type)) : written;
}
