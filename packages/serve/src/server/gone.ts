import type { Socket } from "node:net";

/**
 * Property of a socket. It contains the callback to call if the client leaves, or undefined when the answer is ready. A
 * WeakMap would be slower: when young objects are collected, its entries for old objects survive and keep the whole
 * request alive. With a WeakMap, each collection took 5 to 29 ms instead of 1 ms.
 */
const LEAVE = Symbol("leave");

interface Watched {
  [LEAVE]?: (() => void) | undefined;
}

/**
 * Calls `leave` if the connection closes before `stay`. In HTTP/1.1, the requests of a connection are answered one
 * after another, so there is only one callback per socket.
 */
export function leaving(socket: Socket & Watched, leave: () => void): void {
  // Each connection has only one listener, because adding and removing one per request would cost more than a small
  // prediction.
  if (!(LEAVE in socket)) socket.once("close", left);
  socket[LEAVE] = leave;
}

/** Records that the answer is ready. */
export function stay(socket: Socket & Watched): void {
  if (LEAVE in socket) socket[LEAVE] = undefined;
}

function left(this: Watched): void {
  this[LEAVE]?.();
}
