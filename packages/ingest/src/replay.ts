/**
 * Makes it possible to read a source twice, or to look at its first bytes, even if the source can be read only once.
 */
import { type ByteSource, joined } from "./source.ts";

/**
 * Makes a source that can be read twice from its start, even if the original source can be read only once. The bytes
 * that have been read are kept until the second reading begins. The second reading returns these bytes, and then
 * continues where the first reading stopped.
 */
export function rewindable(source: ByteSource): ByteSource {
  if (source.rereadable) return source;
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let kept: Uint8Array[] = [];
  return {
    name: source.name,
    rereadable: false,
    async *chunks() {
      const first = iterator === undefined;
      iterator ??= source.chunks()[Symbol.asyncIterator]();
      const again = kept;
      kept = first ? kept : [];
      for (let i = 0; !first && i < again.length; i++) yield again[i];
      for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
        if (first) kept.push(step.value);
        yield step.value;
      }
    },
    async close() {
      await iterator?.return?.();
      await source.close?.();
    },
  };
}

/**
 * Returns the first bytes of a source, and a source that still includes them. `enough` is called with each chunk, and
 * returns whether the bytes so far suffice, so that a slow source is not read further.
 */
export async function peek(
  source: ByteSource,
  count: number,
  enough: (chunk: Uint8Array) => boolean = () => false,
): Promise<{ head: Uint8Array; source: ByteSource }> {
  const again = rewindable(source);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of again.chunks()) {
    if (chunk.length > 0) parts.push(chunk);
    length += chunk.length;
    if (length >= count || enough(chunk)) break;
  }
  return { head: joined(...parts).subarray(0, count), source: again };
}
