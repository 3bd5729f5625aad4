import ts from "typescript";

/** Largest number of steps from an exported symbol. Recursive generic types would never end. */
const DEEPEST = 12;

/**
 * Returns the classes of values that users can get from exported symbols: through exported classes and interfaces,
 * results of functions, type arguments, and members. `isPublic` selects the members.
 */
export function heldClasses(
  checker: ts.TypeChecker,
  exported: Iterable<ts.Symbol>,
  isPublic: (member: ts.Symbol) => boolean,
): ts.ClassDeclaration[] {
  const found = new Set<ts.ClassDeclaration>();
  const seen = new Set<ts.Type>();
  let next: ts.Type[] = [];
  for (const symbol of exported) {
    if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) next.push(checker.getDeclaredTypeOfSymbol(symbol));
    if (symbol.flags & ts.SymbolFlags.Value) next.push(checker.getTypeOfSymbol(symbol));
  }
  for (let depth = 0; depth < DEEPEST; depth++) {
    const types = next;
    next = [];
    for (const type of types) {
      if (seen.has(type)) continue;
      seen.add(type);
      const declaration = type.symbol?.valueDeclaration;
      const isInstance = declaration !== undefined && type !== checker.getTypeOfSymbol(type.symbol);
      if (isInstance && ts.isClassDeclaration(declaration) && declaration.getSourceFile().fileName.includes("/src/"))
        found.add(declaration);
      if (type.isUnionOrIntersection()) next.push(...type.types);
      next.push(...(type.aliasTypeArguments ?? []));
      const { target } = type as Partial<ts.TypeReference>;
      if (target !== undefined && target !== type) {
        next.push(target, ...checker.getTypeArguments(type as ts.TypeReference));
        continue;
      }
      for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()])
        next.push(signature.getReturnType());
      for (const member of checker.getPropertiesOfType(type)) if (isPublic(member)) next.push(checker.getTypeOfSymbol(member));
    }
  }
  return [...found];
}

/** Returns the name that a class states as text: in its static `typeName`, or for an error in its property `name`. */
export function statedName({ members }: ts.ClassDeclaration): string | undefined {
  for (const member of members) {
    if (!ts.isPropertyDeclaration(member) || !member.initializer || !ts.isStringLiteral(member.initializer)) continue;
    const isStatic = (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0;
    if (member.name.getText() === (isStatic ? "typeName" : "name")) return member.initializer.text;
  }
  return undefined;
}
