import type { ServerResponse } from "node:http";

/** Aborts when the client leaves before it has its answer: nobody waits for it, so it need not be computed. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
