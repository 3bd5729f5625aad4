/** Distributions by name: what asks for one holds all of this library, wherever bundlers leave out what is not called. */
import { type DistributionOf, distributionNames as definedNames, distributionOf as definedOf } from "./distribution.ts";
import * as library from "./library.ts";

/** Names of all distributions, those of users too. */
export const distributionNames = (): string[] => (isHeld() ? definedNames() : []);

/** The distribution of that name; undefined for a name that nobody defined. */
export const distributionOf = (name: string): DistributionOf | undefined => (isHeld() ? definedOf(name) : undefined);

const isHeld = (): boolean => Object.keys(library).length > 0;
