import type { FastifyInstance } from "fastify";
import type { Repository } from "../repository/repository.ts";
import type { Logger } from "./log.ts";
import type { ServeSettings } from "./options.ts";

/** What routes share. */
export interface Server {
  readonly settings: ServeSettings;
  readonly repository: Repository;
  readonly log: Logger;
  /** No more requests are wanted: readiness says so, and connections are closed after an answer. */
  draining: boolean;
  /** Answers by route and status. */
  readonly answers: Map<string, Map<number, number>>;
}

/** Adds the routes of one concern. */
export type Routes = (app: FastifyInstance, server: Server) => void;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Needs no token. */
    open?: boolean;
    /** A schema for the documentation alone: where requests are checked by hand. */
    documented?: FastifySchema;
  }
}

/** Requests without a known route or that could not be read are counted under this one. */
export const NO_ROUTE = "(none)";
