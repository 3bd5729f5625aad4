/**
 * Modules of Node, where there are any: asked of the process, so that bundlers for the web see no import that they would have to resolve.
 *
 * Always `globalThis.process`: for a free `process` or `Buffer` some bundlers (Parcel) bring a polyfill.
 */

/** True in Node and in what imitates it, with `process` and node: modules. */
export const inNode = (): boolean => typeof globalThis.process?.versions?.node === "string";

/** Such as Node and those that imitate it have them. @throws TypeError elsewhere */
export const builtin: typeof process.getBuiltinModule = (name: string) => globalThis.process.getBuiltinModule(name);
