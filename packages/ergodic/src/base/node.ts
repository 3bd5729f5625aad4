/** Modules of Node, where there are any: asked of the process, so that bundlers for the web see no import that they would have to resolve. */

/** Such as Node and those that imitate it have them. @throws TypeError elsewhere */
export const builtin: typeof process.getBuiltinModule = (name: string) => process.getBuiltinModule(name);
