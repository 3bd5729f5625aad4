/** Kinds of arguments that distributions accept, for the check in `operation` (compiler/signature.ts). */
import { type Kind, operand } from "../../engine/compiler/signature.ts";
import { isListOf } from "../../engine/errors/list-of.ts";
import { Distribution } from "./value.ts";

const isMatrix = (x: unknown): boolean =>
  isListOf<ArrayLike<unknown>>(x, (row) => operand.fits(row) && typeof row === "object") &&
  x.length > 0 &&
  x.every((row) => row.length === x[0].length);

/** A number, a vector or a matrix of numbers, or a symbolic array. */
export const parameter: Kind = {
  wanted: "a symbolic array, a number, or a list of numbers or of rows of them",
  fits: (x) => operand.fits(x) || isMatrix(x),
};

export const distributionKind: Kind = { wanted: "a distribution", fits: (x) => x instanceof Distribution };

export const distributionList: Kind = {
  wanted: "a list of distributions",
  fits: (x) => Array.isArray(x) && x.every(distributionKind.fits),
};
