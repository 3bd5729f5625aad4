/** Interface of an integration method. Each method has its own file and an entry in the list in ode.ts. */
import type { SymbolicArray } from "../../symbolic.ts";
import type { State, System } from "./system.ts";

export interface Method {
  readonly name: string;
  /** Order: the error of a step is proportional to hᵒʳᵈᵉʳ, which determines the length of the next step. */
  readonly order: number;
  /** Returns the arrays that the method carries from step to step, for the initial state y. */
  kept(system: System, t: SymbolicArray, y: State): State;
  /** Takes a step of length h from y. Returns the next state, an error estimate, and the new arrays to carry. */
  step(
    system: System,
    t: SymbolicArray,
    h: SymbolicArray,
    y: State,
    kept: State,
  ): { readonly next: State; readonly error: State; readonly kept: State };
}
