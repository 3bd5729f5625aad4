/**
 * Arrays without arguments. Creating the first array installs the methods of arrays, so no array exists without
 * methods.
 */
import { completeArrays } from "../primitives/methods.ts";
import { checkedItself, numbers, operation, text } from "../signature.ts";
import * as constants from "./operations/constants.ts";
import { input as inputNode, type Shape, type SymbolicArray } from "./symbolic.ts";

/** An input of a program, by name. */
export const input = operation("input", { name: text, shape: numbers }, (name: string, shape: Shape): SymbolicArray => {
  completeArrays();
  return inputNode(name, shape);
});

/** Wraps `make` so that the arrays it returns have their methods. */
const complete = <F extends (...given: never[]) => SymbolicArray>(make: F): F =>
  checkedItself(make.name, ((...given) => {
    completeArrays();
    return make(...given);
  }) as F);

/** An array with the same number everywhere. */
export const full = complete(constants.full);

/**
 * An array of given numbers, row-major. Long constant arrays are compared by identity: two different objects are never
 * equal, even if their contents are.
 */
export const constantArray = complete(constants.constantArray);

/** The numbers 0, 1, …, count − 1. Equal counts give the same symbolic array, even if the array is long. */
export const range = complete(constants.range);

/** Converts numbers and lists of numbers to symbolic arrays; returns arrays unchanged. */
export const toArray = complete(constants.toArray);
