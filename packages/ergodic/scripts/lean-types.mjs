// Removes from declarations what editors hardly ever show: comments of names that no entry exports, and wide indents.
// Options keep their comments, because editors complete them wherever they are typed.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** @param {string} folder @param {readonly string[]} entries files of it @param {readonly string[]} files all of it */
export function leanTypes(folder, entries, files) {
  const program = ts.createProgram(
    files.map((file) => join(folder, file)),
    {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      skipLibCheck: true,
    },
  );
  const exported = exportedBy(
    program,
    entries.map((entry) => join(folder, entry)),
  );
  for (const file of files) {
    const path = join(folder, file);
    const source = program.getSourceFile(path);
    const parts = source.statements.map((statement) => {
      const text = source.text.slice(statement.getFullStart(), statement.end);
      return exported.has(statement) || (ts.isInterfaceDeclaration(statement) && /Options$/.test(statement.name.text))
        ? text
        : text.replace(/[ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n?/g, "");
    });
    const rest = source.text.slice(source.statements.at(-1)?.end ?? 0);
    const made = `${parts.join("")}${rest}`.replace(/^(?: {4})+/gm, (indent) => "\t".repeat(indent.length / 4));
    writeFileSync(path, made);
  }
}

/** Returns the statements that declare the exports of the entries. */
function exportedBy(program, entries) {
  const checker = program.getTypeChecker();
  const found = new Set();
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry));
    for (const one of module ? checker.getExportsOfModule(module) : []) {
      const symbol = one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one;
      for (const declaration of symbol.declarations ?? [])
        found.add(ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration);
    }
  }
  return found;
}
