import type { Socket } from "node:net";

/** What to do when the client of a connection leaves. One listener a connection: to listen and to forget again would cost more than a small prediction. */
const waiting = new WeakMap<Socket, { leave: (() => void) | undefined }>();

/** Calls `leave` when the connection closes before `stay`. HTTP/1.1 answers one request of a connection after another. */
export function leaving(socket: Socket, leave: () => void): void {
  const known = waiting.get(socket);
  if (known) {
    known.leave = leave;
    return;
  }
  const entry: { leave: (() => void) | undefined } = { leave };
  waiting.set(socket, entry);
  socket.once("close", () => entry.leave?.());
}

/** The answer is there. */
export function stay(socket: Socket): void {
  const known = waiting.get(socket);
  if (known) known.leave = undefined;
}
