/**
 * Returns the host's own Brotli decoder (Node and compatible hosts). Returns undefined if the host has none. The host's
 * decoder returns all bytes that were compressed and no others, so their number can be checked against the page's
 * header. By contrast, the decoder in TypeScript fills an array of the size given in the header, in which missing bytes
 * stay 0.
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
