/** Entries whose names do not clash: together they are what one module of everything would be. */
export const ENTRIES = "index bayes data distributions extend graphs layers learning losses predict rules search".split(" ");

/** Code of an expression that loads all entries as one object. `folder`: address of the built entries, with a slash at its end. */
export const wholeLibrary = (folder: string): string =>
  `Object.assign({}, ...(await Promise.all(${JSON.stringify(ENTRIES)}.map((name) => import(${JSON.stringify(folder)} + name + ".js")))))`;
