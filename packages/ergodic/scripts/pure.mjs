// What a module computes as it is loaded is said to be pure, as its package.json says of the whole module: bundlers then leave out each definition that
// nobody uses, though many modules are one file by now. A module that acts as it is loaded is refused unless it is one of those that may.
import ts from "typescript";

const PURE = "/* @__PURE__ */ ";
const { SyntaxKind } = ts;

/**
 * The text of a module, annotated.
 * @param {string} file for errors
 * @param {string} text
 * @param {boolean} acts whether it may have statements that act
 * @returns {string}
 */
export function annotatePure(file, text, acts) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  /** @type {{ at: number, text: string }[]} */
  const insertions = [];
  const insert = (at, text) => insertions.push({ at, text });
  const wrap = (node) => {
    insert(node.getStart(), `${PURE}(() => (`);
    insert(node.getEnd(), "))()");
  };
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { initializer } of statement.declarationList.declarations) {
        if (!initializer || isInert(initializer)) continue;
        const calls = simpleCalls(initializer);
        if (calls) for (const call of calls) insert(call.getStart(), PURE);
        else wrap(initializer);
      }
    } else if (ts.isClassDeclaration(statement)) {
      if (statement.members.some(actsOnDefinition)) wrapClass(statement, insert);
    } else if (!acts && !isDeclaration(statement)) {
      const { line } = source.getLineAndCharacterOfPosition(statement.getStart());
      throw new Error(
        `${file}:${line + 1}: a module that acts as it is loaded cannot be left out of a user's bundle; make it a function that is called where it is needed, or add the file to ACTING in scripts/bundle.mjs`,
      );
    }
  }
  return insertions
    .map((insertion, order) => ({ ...insertion, order }))
    .sort((a, b) => b.at - a.at || b.order - a.order)
    .reduce((made, { at, text }) => made.slice(0, at) + text + made.slice(at), text);
}

const isDeclaration = (node) =>
  [
    SyntaxKind.ImportDeclaration,
    SyntaxKind.ExportDeclaration,
    SyntaxKind.InterfaceDeclaration,
    SyntaxKind.TypeAliasDeclaration,
    SyntaxKind.FunctionDeclaration,
  ].includes(node.kind);

/** What bundlers see by themselves to do nothing. */
function isInert(node) {
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isInert);
  if (ts.isObjectLiteralExpression(node))
    return node.properties.every(
      (one) =>
        ts.isMethodDeclaration(one) ||
        ts.isShorthandPropertyAssignment(one) ||
        (ts.isPropertyAssignment(one) && !ts.isComputedPropertyName(one.name) && isInert(one.initializer)),
    );
  if (isWrapper(node)) return isInert(node.expression);
  if (ts.isPrefixUnaryExpression(node)) return isInert(node.operand);
  if (ts.isBinaryExpression(node)) return isInert(node.left) && isInert(node.right);
  return (
    ts.isLiteralExpression(node) ||
    ts.isIdentifier(node) ||
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    [SyntaxKind.TrueKeyword, SyntaxKind.FalseKeyword, SyntaxKind.NullKeyword].includes(node.kind)
  );
}

const isWrapper = (node) =>
  ts.isParenthesizedExpression(node) ||
  ts.isAsExpression(node) ||
  ts.isSatisfiesExpression(node) ||
  ts.isNonNullExpression(node);

/** The calls of plain names of which, with what is inert, the expression is made; undefined where there is more to it. */
function simpleCalls(node) {
  if (isInert(node)) return [];
  if (isWrapper(node)) return simpleCalls(node.expression);
  const all = (nodes) => {
    const found = nodes.map(simpleCalls);
    return found.includes(undefined) ? undefined : found.flat();
  };
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const inner = ts.isIdentifier(node.expression) ? all(node.arguments ?? []) : undefined;
    return inner && [node, ...inner];
  }
  if (ts.isArrayLiteralExpression(node)) return all(node.elements);
  if (ts.isObjectLiteralExpression(node)) {
    const values = node.properties.filter((one) => !ts.isMethodDeclaration(one) && !ts.isShorthandPropertyAssignment(one));
    if (!values.every((one) => ts.isPropertyAssignment(one) && !ts.isComputedPropertyName(one.name))) return undefined;
    return all(values.map((one) => one.initializer));
  }
  return undefined;
}

/** Static fields and blocks, and names that are computed. */
const actsOnDefinition = (member) =>
  ts.isClassStaticBlockDeclaration(member) ||
  (ts.isPropertyDeclaration(member) && member.modifiers?.some(({ kind }) => kind === SyntaxKind.StaticKeyword)) ||
  (member.name && ts.isComputedPropertyName(member.name));

/** `export class A { … }` as `export const A = (() => { class A { … } return A; })()`. */
function wrapClass(node, insert) {
  const keyword = node.getChildren().find(({ kind }) => kind === SyntaxKind.ClassKeyword);
  const abstract = node.modifiers?.find(({ kind }) => kind === SyntaxKind.AbstractKeyword);
  insert((abstract ?? keyword).getStart(), `const ${node.name.text} = ${PURE}(() => { `);
  insert(node.getEnd(), ` return ${node.name.text}; })();`);
}
