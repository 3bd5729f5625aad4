/**
 * Access to Node's modules, if they exist. The modules are requested from `process`, so that bundlers for the web see
 * no imports to resolve.
 *
 * Always write `globalThis.process`: some bundlers (Parcel) add a polyfill for a free `process` or `Buffer`.
 */

/** Whether the host is Node, or imitates Node with `process` and node: modules. */
export const inNode = (): boolean => typeof globalThis.process?.versions?.node === "string";

/** Returns a built-in module of Node. @throws TypeError on hosts without them */
export const builtin: typeof process.getBuiltinModule = (name: string) => globalThis.process.getBuiltinModule(name);
