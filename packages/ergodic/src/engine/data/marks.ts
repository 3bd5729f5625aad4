/** By which datasets and ratings are known without their classes, which programs that have none need not hold: getters of their prototypes. */
export const datasetMark: unique symbol = Symbol("Dataset");
export const ratingsMark: unique symbol = Symbol("Ratings");

export const isMarked = (value: unknown, mark: symbol): boolean => typeof value === "object" && value !== null && mark in value;
