// Marks the computations that a file in dist makes when it is loaded as pure, as package.json does for each module of
// src. Bundlers then drop unused definitions, although many modules are now in one file. Also finds modules with side
// effects, so that there are few of them.
import ts from "typescript";

const PURE = "/*@__PURE__*/";
const { SyntaxKind } = ts;

/**
 * Returns the text of a module with annotations, so that bundlers can drop its definitions.
 * @param {string} text
 * @returns {string}
 */
export function annotatePure(text) {
  /** @type {Insertion[]} */
  const insertions = [];
  for (const statement of parsed(text).statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { initializer } of statement.declarationList.declarations)
        if (initializer && !isInert(initializer)) insertions.push(...annotationOf(initializer));
    } else if (ts.isClassDeclaration(statement) && statement.members.some(actsOnDefinition)) {
      const { name, modifiers = [] } = statement;
      const start = modifiers.find(({ kind }) => kind === SyntaxKind.AbstractKeyword) ?? classKeyword(statement);
      insertions.push({ at: start.getStart(), text: `const ${name.text} = ${PURE}(() => { ` });
      insertions.push({ at: statement.getEnd(), text: ` return ${name.text}; })();` });
    }
  }
  return inserted(text, insertions);
}

/** @typedef {{ at: number, text: string }} Insertion */

/** @returns {Insertion[]} */
function annotationOf(initializer) {
  const calls = simpleCalls(initializer);
  if (calls) return calls.map((call) => ({ at: call.getStart(), text: PURE }));
  return [
    { at: initializer.getStart(), text: `${PURE}(() => (` },
    { at: initializer.getEnd(), text: "))()" },
  ];
}

const classKeyword = (node) => node.getChildren().find(({ kind }) => kind === SyntaxKind.ClassKeyword);

/**
 * Puts each definition and each class member on its own line, so that stack traces show the place; they also contain
 * the column.
 * @param {string} text
 * @returns {string}
 */
export function breakLines(text) {
  /** @type {Insertion[]} */
  const insertions = [];
  const visit = (node) => {
    if (ts.isSourceFile(node.parent) || ts.isClassElement(node)) insertions.push({ at: node.getStart(), text: "\n" });
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(parsed(text), visit);
  return inserted(text, insertions);
}

/** @param {string} text @param {Insertion[]} insertions */
function inserted(text, insertions) {
  let [made, from] = ["", 0];
  for (const insertion of insertions.sort((a, b) => a.at - b.at)) {
    made += text.slice(from, insertion.at) + insertion.text;
    from = insertion.at;
  }
  return made + text.slice(from);
}

/**
 * Returns the line of the first statement with a side effect, or undefined if all statements are definitions.
 * @param {string} text
 * @returns {number | undefined}
 */
export function actingLine(text) {
  const source = parsed(text);
  const acting = source.statements.find((statement) => !isDefinition(statement));
  return acting && source.getLineAndCharacterOfPosition(acting.getStart()).line + 1;
}

const parsed = (text) => ts.createSourceFile("module.ts", text, ts.ScriptTarget.Latest, true);

const isDefinition = (node) =>
  [
    SyntaxKind.ClassDeclaration,
    SyntaxKind.VariableStatement,
    SyntaxKind.ImportDeclaration,
    SyntaxKind.ExportDeclaration,
    SyntaxKind.InterfaceDeclaration,
    SyntaxKind.TypeAliasDeclaration,
    SyntaxKind.FunctionDeclaration,
  ].includes(node.kind);

/** Whether bundlers recognise the expression as free of side effects. */
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
    (ts.isClassExpression(node) && !node.members.some(actsOnDefinition)) ||
    ts.isArrowFunction(node) ||
    [SyntaxKind.TrueKeyword, SyntaxKind.FalseKeyword, SyntaxKind.NullKeyword].includes(node.kind)
  );
}

const isWrapper = (node) =>
  ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node);

/**
 * Returns the calls of plain names that, together with inert parts, make up the expression; undefined if it contains
 * anything else.
 */
function simpleCalls(node) {
  if (isInert(node)) return [];
  if (isWrapper(node)) return simpleCalls(node.expression);
  const all = (nodes) => {
    const found = nodes.map(simpleCalls);
    return found.includes(undefined) ? undefined : found.flat();
  };
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const inner = isPlainCallee(node.expression) ? all(node.arguments ?? []) : undefined;
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

/** Whether the callee is a name, or a function called where it is written. */
const isPlainCallee = (node) =>
  ts.isIdentifier(node) || (ts.isParenthesizedExpression(node) && ts.isArrowFunction(node.expression));

/**
 * Whether the member is evaluated with the class: static fields and blocks, and computed names. Bundlers recognise a
 * static field with a text, such as `typeName`, as free of side effects.
 */
const actsOnDefinition = (member) =>
  ts.isClassStaticBlockDeclaration(member) ||
  (ts.isPropertyDeclaration(member) &&
    member.modifiers?.some(({ kind }) => kind === SyntaxKind.StaticKeyword) &&
    !(member.initializer && ts.isStringLiteralLike(member.initializer))) ||
  (member.name && ts.isComputedPropertyName(member.name));
