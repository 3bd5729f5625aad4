// Replaces imports from a list of exports (index.ts) by imports from the modules themselves. Bundlers assume that a
// file that imports such a list uses all of it, and would put all of it into one part.
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** @typedef {{ file: string, name: string }} Place */

/** @type {Map<string, ts.SourceFile>} */
const parsed = new Map();
function moduleOf(file) {
  if (!parsed.has(file)) parsed.set(file, ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  return /** @type {ts.SourceFile} */ (parsed.get(file));
}

/**
 * Finds the definition of a name that `file` exports.
 * @param {string} file
 * @param {string} name
 * @returns {Place | undefined}
 */
function definition(file, name) {
  let stars = [];
  for (const statement of moduleOf(file).statements) {
    if (!ts.isExportDeclaration(statement) || !statement.moduleSpecifier) continue;
    const from = join(dirname(file), statement.moduleSpecifier.text);
    if (!statement.exportClause) stars = [...stars, from];
    else if (ts.isNamedExports(statement.exportClause)) {
      const found = statement.exportClause.elements.find((one) => one.name.text === name);
      if (found) return definition(from, (found.propertyName ?? found.name).text);
    }
  }
  if (declares(file, name)) return { file, name };
  for (const star of stars) {
    const found = definition(star, name);
    if (found) return found;
  }
  return undefined;
}

function declares(file, name) {
  return moduleOf(file).statements.some((statement) => {
    if (!statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return false;
    const names = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map((one) => one.name)
      : [statement.name];
    return names.some((one) => one?.text === name);
  });
}

/**
 * @param {string} path of the module
 * @param {string} text
 * @returns {string}
 */
export function directImports(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  let made = text;
  for (const statement of source.statements.toReversed()) {
    if (!ts.isImportDeclaration(statement) || !statement.moduleSpecifier.text.endsWith("/index.ts")) continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings) || statement.importClause.isTypeOnly) continue;
    const list = join(dirname(path), statement.moduleSpecifier.text);
    const imports = bindings.elements
      .filter((one) => !one.isTypeOnly)
      .map((one) => {
        const exported = (one.propertyName ?? one.name).text;
        const { file, name } = definition(list, exported) ?? { file: list, name: exported };
        const to = relative(dirname(path), file);
        return `import { ${name} as ${one.name.text} } from "${to.startsWith(".") ? to : `./${to}`}";`;
      });
    made = made.slice(0, statement.getStart()) + imports.join(" ") + made.slice(statement.getEnd());
  }
  return made;
}
