// Semantic mutations of a source file: each changes one place such that the program still compiles but computes
// something else. Types are not checked, because tests run without them.
import ts from "typescript";

const { SyntaxKind: S } = ts;

/** Replacements of binary operators, by kind of mutation. */
const OPERATORS = {
  comparison: [
    [S.LessThanToken, "<="],
    [S.LessThanEqualsToken, "<"],
    [S.GreaterThanToken, ">="],
    [S.GreaterThanEqualsToken, ">"],
    [S.EqualsEqualsEqualsToken, "!=="],
    [S.ExclamationEqualsEqualsToken, "==="],
  ],
  sign: [
    [S.PlusToken, "-"],
    [S.MinusToken, "+"],
    [S.PlusEqualsToken, "-="],
    [S.MinusEqualsToken, "+="],
    [S.AsteriskToken, "/"],
    [S.SlashToken, "*"],
  ],
  logic: [
    [S.AmpersandAmpersandToken, "||"],
    [S.BarBarToken, "&&"],
    [S.QuestionQuestionToken, "&&"],
  ],
};
const replacements = new Map(
  Object.entries(OPERATORS).flatMap(([kind, pairs]) => pairs.map(([token, text]) => [token, { kind, text }])),
);

/**
 * Returns all mutations of a file.
 * @param {string} path
 * @param {string} text
 * @returns {{ kind: string, line: number, start: number, end: number, text: string }[]}
 */
export function mutationsOf(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const add = (kind, start, end, replacement) =>
    found.push({ kind, line: source.getLineAndCharacterOfPosition(start).line + 1, start, end, text: replacement });
  const replace = (kind, node, replacement) => add(kind, node.getStart(), node.getEnd(), replacement);
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isTypeAliasDeclaration(node) || isThrow(node)) return;
    if (ts.isBinaryExpression(node)) {
      const change = replacements.get(node.operatorToken.kind);
      const joins = node.operatorToken.kind === S.PlusToken && [node.left, node.right].some(isText);
      if (change && !joins) replace(change.kind, node.operatorToken, change.text);
    } else if (ts.isNumericLiteral(node) && !ts.isPropertyAssignment(node.parent?.parent ?? node)) {
      const value = Number(node.text);
      if (Number.isInteger(value) && value < 2 ** 31) replace("off by one", node, String(value + 1));
      else if (Number.isFinite(value)) replace("constant", node, String(value * 1.5));
    } else if (node.kind === S.TrueKeyword) replace("constant", node, "false");
    else if (node.kind === S.FalseKeyword) replace("constant", node, "true");
    else if (ts.isPrefixUnaryExpression(node) && node.operator === S.ExclamationToken) {
      replace("logic", node, node.operand.getText());
    } else if (ts.isPrefixUnaryExpression(node) && node.operator === S.MinusToken) {
      replace("sign", node, node.operand.getText());
    } else if (ts.isExpressionStatement(node) && !isDirective(node)) {
      // A dropped call of `super` would fail at once in every test.
      if (!/^super\b/.test(node.getText())) replace("dropped statement", node, ";");
    } else if (ts.isConditionalExpression(node)) {
      const { condition, whenTrue, whenFalse } = node;
      replace("logic", node, `${condition.getText()} ? ${whenFalse.getText()} : ${whenTrue.getText()}`);
    }
    if (ts.isCallExpression(node) && node.arguments.length >= 2) {
      const [first, second] = node.arguments;
      if (first.getText() !== second.getText() && !ts.isSpreadElement(first) && !ts.isSpreadElement(second))
        add("swapped arguments", first.getStart(), second.getEnd(), `${second.getText()}, ${first.getText()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Messages of errors are tested word for word elsewhere, and are not what a mutant is about. */
const isThrow = (node) => ts.isNewExpression(node) && /Error$/.test(node.expression.getText());
const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
const isDirective = (node) => ts.isStringLiteral(node.expression);
