/** A file appears whole or not at all: written beside its place under another name, then moved. @throws DataError [FILE_WRITE] with the system's reason */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { DataError } from "ergodic";

export async function writeWhole(path: string, parts: AsyncIterable<string> | Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${process.pid}.partial`;
  const file = createWriteStream(temporary, { flags: "wx" });
  const done = finished(file);
  done.catch(() => {});
  try {
    for await (const part of parts) {
      if (!file.write(part)) await Promise.race([done, new Promise<void>((resolve) => file.once("drain", () => resolve()))]);
    }
    file.end();
    await done;
    await rename(temporary, path);
  } catch (cause) {
    file.destroy();
    await rm(temporary, { force: true });
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new DataError(path, `cannot be written: ${(cause as Error).message}`, "FILE_WRITE", { cause });
  }
}
