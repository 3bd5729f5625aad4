// Removes declarations that no entry reaches; the others stay in their files. A declaration is reached if an entry
// exports it, or if the text of a reached declaration names it.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";

/** @typedef {{ file: string, name: string | undefined }} Place a name that a file exports; undefined: all */

class Module {
  /** @type {Set<ts.Statement>} */
  kept = new Set();
  /** Names that are reached through this file's imports and lists of exports. */
  used = new Set();
  whole = false;

  constructor(file) {
    this.file = file;
    this.text = readFileSync(file, "utf8");
    this.source = ts.createSourceFile(file, this.text, ts.ScriptTarget.Latest, true);
    /** @type {Map<string, ts.Statement[]>} */
    this.declared = new Map();
    /** @type {Map<string, Place>} */
    this.imported = new Map();
    for (const statement of this.source.statements) this.#note(statement);
  }

  #note(statement) {
    if (ts.isImportDeclaration(statement)) {
      const file = this.target(statement.moduleSpecifier);
      const bindings = statement.importClause?.namedBindings;
      if (!file || !bindings) return;
      if (ts.isNamespaceImport(bindings)) this.imported.set(bindings.name.text, { file, name: undefined });
      else
        for (const { name, propertyName } of bindings.elements)
          this.imported.set(name.text, { file, name: (propertyName ?? name).text });
      return;
    }
    for (const name of namesOf(statement)) this.declared.set(name, [...(this.declared.get(name) ?? []), statement]);
  }

  /** Returns the declaration file of a relative specifier; undefined for packages. */
  target(specifier) {
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith(".")) return undefined;
    return join(dirname(this.file), specifier.text.replace(/\.[jt]s$/, ".d.ts"));
  }
}

function namesOf(statement) {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText());
  return statement.name ? [statement.name.text] : [];
}

/** @param {string} folder @param {readonly string[]} entries files of it, whose exports all stay */
export function keepReachableTypes(folder, entries) {
  /** @type {Map<string, Module>} */
  const modules = new Map();
  const at = (file) => modules.get(file) ?? modules.set(file, new Module(file)).get(file);

  const needAll = (file) => {
    const module = at(file);
    if (module.whole) return;
    module.whole = true;
    for (const statement of module.source.statements) {
      if (ts.isExportDeclaration(statement)) {
        const to = module.target(statement.moduleSpecifier);
        if (to && !statement.exportClause) needAll(to);
        else for (const one of statement.exportClause?.elements ?? []) needExport(module, to, one);
      } else if (!ts.isImportDeclaration(statement)) keep(module, statement);
    }
  };
  const needExport = (module, to, { name, propertyName }) => {
    const own = (propertyName ?? name).text;
    if (to) need(to, own);
    else needLocal(module, own);
  };
  const needLocal = (module, name) => {
    for (const statement of module.declared.get(name) ?? []) keep(module, statement);
    const from = module.imported.get(name);
    if (!from) return;
    module.used.add(name);
    if (from.name === undefined) needAll(from.file);
    else need(from.file, from.name);
  };
  /** Marks a name as needed. Returns whether the file exports it. */
  const need = (file, name) => {
    const module = at(file);
    if (module.declared.has(name)) {
      module.used.add(name);
      needLocal(module, name);
      return true;
    }
    const lists = module.source.statements.filter(ts.isExportDeclaration);
    for (const list of lists) {
      const one = list.exportClause?.elements?.find((element) => element.name.text === name);
      if (!one) continue;
      module.used.add(name);
      needExport(module, module.target(list.moduleSpecifier), one);
      return true;
    }
    return lists.some((list) => {
      const to = list.exportClause ? undefined : module.target(list.moduleSpecifier);
      if (!to || !need(to, name)) return false;
      module.kept.add(list);
      return true;
    });
  };
  const keep = (module, statement) => {
    if (module.kept.has(statement)) return;
    module.kept.add(statement);
    const visit = (node) => {
      if (ts.isIdentifier(node)) needLocal(module, node.text);
      if (ts.isImportTypeNode(node)) {
        const to = module.target(node.argument.literal);
        if (to) needAll(to);
      }
      ts.forEachChild(node, visit);
    };
    visit(statement);
  };

  for (const entry of entries) needAll(join(folder, entry));
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"))) {
    const module = modules.get(join(folder, file));
    if (module) writeFileSync(module.file, textOf(module));
    else rmSync(join(folder, file));
  }
}

function textOf(module) {
  const references = /^(?:\/\/\/ .*\n)*/.exec(module.text)?.[0] ?? "";
  const parts = module.source.statements.flatMap((statement) => {
    const list = ts.isImportDeclaration(statement)
      ? statement.importClause?.namedBindings
      : ts.isExportDeclaration(statement) && !module.whole
        ? statement.exportClause
        : undefined;
    const whole = module.text
      .slice(statement.getFullStart(), statement.getEnd())
      .replace(/^(?:\/\/\/ .*\n)*/, "")
      .trim();
    if (list?.elements) {
      const left = list.elements.filter(({ name }) => module.used.has(name.text)).map((one) => one.getText());
      const before = module.text.slice(statement.getStart(), list.getStart());
      return left.length > 0 ? [`${before}{ ${left.join(", ")} }${module.text.slice(list.getEnd(), statement.getEnd())}`] : [];
    }
    const stays =
      module.kept.has(statement) ||
      (ts.isExportDeclaration(statement) && module.whole) ||
      (ts.isImportDeclaration(statement) && list !== undefined && module.used.has(list.name.text));
    return stays ? [whole] : [];
  });
  const isModule = parts.some((part) => /^(?:import|export)\b/m.test(part));
  return `${references}${parts.join("\n")}\n${isModule ? "" : "export {};\n"}`;
}
