import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Part of Node's socket without a public name: the bytes that the operating system has not taken yet. */
interface Handle {
  readonly writeQueueSize?: number;
  /** Under TLS: the handle of the connection below. */
  readonly _parent?: Handle;
}

/** Number of checks within the time limit. */
const CHECKS = 4;

/**
 * Closes connections whose client reads nothing of its answers for `ms` milliseconds, up to a quarter more. Such
 * clients would otherwise hold their answers and their connections for ever.
 *
 * All connections are checked together, because a timer per answer would cost more than a small prediction.
 */
export function closeUnread(server: Server, isSecure: boolean, ms: number): void {
  const open = new Map<Socket, { left: string; checks: number }>();
  server.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => {
    open.set(socket, { left: "", checks: 0 });
    socket.once("close", () => open.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, seen] of open) {
      const left = unreadOf(socket);
      if (left === undefined || left !== seen.left) {
        seen.left = left ?? "";
        seen.checks = 0;
      } else if (++seen.checks >= CHECKS) socket.destroy();
    }
  }, ms / CHECKS);
  timer.unref();
  server.once("close", () => clearInterval(timer));
}

/** Returns a text that changes when the client reads. Undefined if it has nothing left to read. */
function unreadOf(socket: Socket & { readonly _handle?: Handle | null }): string | undefined {
  if (socket.writableLength === 0) return undefined;
  // A long answer is one write, so the socket alone does not show that a part of it was read.
  const handle = socket._handle?._parent ?? socket._handle;
  return `${socket.writableLength} ${handle?.writeQueueSize ?? 0}`;
}
