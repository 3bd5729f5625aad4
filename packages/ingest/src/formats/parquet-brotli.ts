/**
 * The host's own Brotli, in Node and what imitates it: it gives as many bytes as were packed, so that a page is held to what its header says. The decoder in
 * TypeScript fills an array of the size that the header claims, and leaves the rest 0.
 *
 * Undefined where the host has none.
 */
export function hostBrotli(): ((bytes: Uint8Array, size: number) => Uint8Array) | undefined {
  if (typeof process === "undefined" || !process.versions?.node) return undefined;
  const { brotliDecompressSync } = process.getBuiltinModule("node:zlib");
  return (bytes, size) => {
    try {
      return new Uint8Array(brotliDecompressSync(bytes, { maxOutputLength: size }));
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_BUFFER_TOO_LARGE") throw error;
      throw new Error(`a page unpacks to more bytes than ${size}, which it says`);
    }
  };
}
