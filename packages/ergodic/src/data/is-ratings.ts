import type { Ratings } from "./ratings.ts";

/** On the prototype of Ratings, by which it is known without the class, which programs that have none need not hold. */
export const ratingsMark: unique symbol = Symbol("Ratings");

export const isRatings = (value: unknown): value is Ratings =>
  typeof value === "object" && value !== null && ratingsMark in value;
