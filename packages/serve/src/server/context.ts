import type { FastifyInstance } from "fastify";
import type { Repository } from "../repository/repository.ts";
import type { Logger } from "./log.ts";
import type { ServeSettings } from "./options.ts";

/** Data shared by all routes. */
export interface Server {
  readonly settings: ServeSettings;
  readonly repository: Repository;
  readonly log: Logger;
  /**
   * Whether the server is ending. In this case, readiness reports it, and connections are closed after their answers.
   */
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
    /** Whether the body can consist of JSON and binary tensors after it. */
    binary?: boolean;
    /** Schema that is used only for documentation, because the requests of the route are checked by hand. */
    documented?: FastifySchema;
  }
}

/** Name under which requests are counted that have no known route or could not be read. */
export const NO_ROUTE = "(none)";
