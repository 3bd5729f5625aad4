/** Entries whose names do not clash, so that they can be combined into one module. */
export const ENTRIES = "index bayes data distributions extend graphs layers learning losses predict rules search".split(" ");

/**
 * Returns the code of an expression that loads all entries as one object. `folder` is the address of the built entries,
 * with a trailing slash.
 */
export const wholeLibrary = (folder: string): string =>
  `Object.assign({}, ...(await Promise.all(${JSON.stringify(ENTRIES)}.map((name) => import(${JSON.stringify(folder)} + name + ".js")))))`;
