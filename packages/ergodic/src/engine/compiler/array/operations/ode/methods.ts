/** What a method of solution says of itself: one file each, and an entry in the list of ode.ts. */
import type { SymbolicArray } from "../../symbolic.ts";
import type { State, System } from "./system.ts";

export interface Method {
  readonly name: string;
  /** The error of a step is of the size hᵒʳᵈᵉʳ: what the next length is chosen by. */
  readonly order: number;
  /** What is kept from step to step, at the state y. */
  kept(system: System, t: SymbolicArray, y: State): State;
  /** A step of length h from y: where it leads, an estimate of its error, and what is kept there. */
  step(
    system: System,
    t: SymbolicArray,
    h: SymbolicArray,
    y: State,
    kept: State,
  ): { readonly next: State; readonly error: State; readonly kept: State };
}
