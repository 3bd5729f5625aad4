/**
 * Types with which the compiler checks columns, variables and rows. Misspelt names, unbound variables and columns of
 * incompatible types do not compile.
 */
import type { Cell, CellType, ColumnLists, ColumnTypes } from "./facts.ts";

/** Columns by name, with the type of their values. */
export type Shape = Readonly<Record<string, Cell>>;

/** Widens literal types to string, number or boolean. */
export type Widened<T> = T extends string ? string : T extends number ? number : T extends boolean ? boolean : never;
/** Columns of rows that are objects. */
export type ShapeOfRow<R> = { readonly [K in keyof R & string]-?: Widened<NonNullable<R[K]>> };
/** Columns of lists. */
export type ShapeOfLists<L extends ColumnLists> = { readonly [K in keyof L & string]: Widened<NonNullable<L[K][number]>> };
/** Value type of a column type. */
export type ValueOf<T extends CellType> = T extends "text" ? string : T extends "number" ? number : boolean;
/** Columns of named column types. */
export type ShapeOfTypes<T extends ColumnTypes> = { readonly [K in keyof T & string]: ValueOf<T[K]> };

/** Variable name, or fixed value, of each column. Columns that are not listed can have any value. */
export type Bindings<S> = { readonly [K in keyof S]?: string | { readonly equals: S[K] } };
/** A compile-time error for each name in `B` that is not a column. */
export type KnownColumns<S, B> = { readonly [K in Exclude<keyof B & string, keyof S>]: never };

type VariableColumns<B> = { [K in keyof B]: B[K] extends string ? K : never }[keyof B];
/** Type of each variable's values. */
export type Bound<S, B> = { readonly [K in VariableColumns<B> & keyof S as B[K] & string]: S[K] };

type Intersection<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void ? I : never;
type Flat<T> = { readonly [K in keyof T]: T[K] };
/** Anything that has variables. */
export interface WithVariables<V = object> {
  /** Exists only in the type; there is no such field at run time. */
  readonly variables: V;
}
/** Variables of a rule, by name. */
export type RowOf<H extends WithVariables, B extends readonly WithVariables[]> = Flat<
  H["variables"] & (B extends readonly [] ? unknown : Intersection<B[number]["variables"]>)
>;
type Never<T> = { [K in keyof T]: [T[K]] extends [never] ? K : never }[keyof T];
/** A compile-time error if a variable would need two types. */
export type OneTypeEach<R> = [R] extends [never]
  ? { readonly "a variable has two types": never }
  : [Never<R>] extends [never]
    ? unknown
    : { readonly "a variable has two types": Never<R> };
/** A compile-time error if the head has a variable that the body does not bind. */
export type BoundByBody<H extends WithVariables, B extends readonly WithVariables[]> = B extends readonly []
  ? unknown
  : [Exclude<keyof H["variables"], keyof Intersection<B[number]["variables"]>>] extends [never]
    ? unknown
    : { readonly "the body does not bind": Exclude<keyof H["variables"], keyof Intersection<B[number]["variables"]>> };
