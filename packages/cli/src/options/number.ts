/** Numbers from the command line. */
import { InvalidArgumentError } from "commander";

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number.");
}

export function share(text: string): number {
  const value = number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("It must lie between 0 and 1, e.g. 0.2.");
}
