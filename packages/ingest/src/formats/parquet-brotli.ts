/**
 * Returns the host's own Brotli decoder (Node and compatible hosts); undefined if the host has none. The host's decoder
 * returns exactly the bytes that were compressed, so their number can be checked against the page's header. The decoder
 * in TypeScript, in contrast, fills an array of the size in the header and leaves missing bytes 0.
 */
export function hostBrotli(): ((bytes: Uint8Array, size: number) => Uint8Array) | undefined {
  if (typeof process === "undefined" || !process.versions?.node) return undefined;
  const { brotliDecompressSync } = process.getBuiltinModule("node:zlib");
  return (bytes, size) => {
    try {
      return new Uint8Array(brotliDecompressSync(bytes, { maxOutputLength: size }));
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_BUFFER_TOO_LARGE") throw error;
      throw new Error(`a page unpacks to more than the ${size} bytes that it declares`);
    }
  };
}
