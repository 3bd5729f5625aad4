/**
 * Kinds of sources. Objects of other realms (frames, test environments such as jsdom) are recognised too, for which
 * `instanceof` is false.
 */
const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export const isBytes = (value: unknown): value is Uint8Array => ArrayBuffer.isView(value) && tagOf(value) === "Uint8Array";

/** Blobs and Files. */
export const isBlob = (value: unknown): value is Blob =>
  ["Blob", "File"].includes(tagOf(value)) && typeof (value as Blob).arrayBuffer === "function";

export const isUrl = (value: unknown): value is URL => tagOf(value) === "URL" && typeof (value as URL).href === "string";
