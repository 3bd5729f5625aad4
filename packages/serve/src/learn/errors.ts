import { ErgodicError } from "ergodic";

/**
 * What a learner cannot do, through no fault of the rows: FOLDER_LOCKED (another process writes there), FOLDER_DAMAGED, FOLDER_OTHER (it was begun
 * with another model or other options), JOURNAL_WRITE (the disk failed; what was not confirmed is not learnt).
 */
export class LearnerError extends ErgodicError {
  override readonly name: string = "LearnerError";
  /** Of HTTP. */
  readonly status = 503;
}

/** Codes of a LearnerError. */
export type LearnerErrorCode = "FOLDER_LOCKED" | "FOLDER_DAMAGED" | "FOLDER_OTHER" | "JOURNAL_WRITE";
