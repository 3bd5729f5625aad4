import type { FastifyInstance } from "fastify";
import type { Repository } from "../repository/repository.ts";
import type { Logger } from "./log.ts";
import type { ServeSettings } from "./options.ts";

/** Data shared by all routes. */
export interface Server {
  readonly settings: ServeSettings;
  readonly repository: Repository;
  readonly log: Logger;
  /** Whether the server is ending: readiness reports it, and connections are closed after an answer. */
  draining: boolean;
  /** Number of answers by route and status. */
  readonly answers: Map<string, Map<number, number>>;
}

/** Adds the routes of one concern. */
export type Routes = (app: FastifyInstance, server: Server) => void;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route needs no token. */
    open?: boolean;
    /** Schema used only for documentation, if requests are checked by hand. */
    documented?: FastifySchema;
  }
}

/** Route name for counting requests that have no known route or could not be read. */
export const NO_ROUTE = "(none)";
