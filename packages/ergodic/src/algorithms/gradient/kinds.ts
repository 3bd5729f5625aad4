/** The three kinds of rule: an equation over each coordinate, a search on the same batch, a procedure on the whole objective. */
import type { HostRule } from "./host-rule.ts";
import type { EquationRule } from "./rule.ts";
import type { SearchRule } from "./search-rule.ts";

export type Rule = EquationRule | SearchRule | HostRule;
