/** Arrays that are made of no others. Where the first of them is made, arrays get their methods: nobody has an array without them. */
import { completeArrays } from "../primitives/methods.ts";
import { checkedItself } from "../signature.ts";
import * as constants from "./operations/constants.ts";
import { input as inputNode, type Shape, type SymbolicArray } from "./symbolic.ts";

/** What a program is given, by name. */
export function input(name: string, shape: Shape): SymbolicArray {
  completeArrays();
  return inputNode(name, shape);
}

/** `make`, by whose arrays methods can be called. */
const complete = <F extends (...given: never[]) => SymbolicArray>(make: F): F =>
  checkedItself(make.name, ((...given) => {
    completeArrays();
    return make(...given);
  }) as F);

/** One number everywhere. */
export const full = complete(constants.full);

/** Given numbers, row-major. Long ones are distinguished by identity, not by content. */
export const constantArray = complete(constants.constantArray);

/** 0, 1, …, count − 1: the same array for the same count, however long. */
export const range = complete(constants.range);

/** Numbers and lists of numbers as symbolic arrays; arrays as they are. */
export const toArray = complete(constants.toArray);
