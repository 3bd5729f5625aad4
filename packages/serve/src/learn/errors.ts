import { ErgodicError } from "ergodic";

/**
 * Error of a learner that was not caused by the rows: FOLDER_LOCKED (another process writes in the folder),
 * FOLDER_DAMAGED, FOLDER_OTHER (the folder was begun with another model or other options), JOURNAL_WRITE (the disk
 * failed; unconfirmed requests are not learnt).
 */
export class LearnerError extends ErgodicError {
  override readonly name: string = "LearnerError";
  /** HTTP status. */
  readonly status = 503;
}

/** Codes of a LearnerError. */
export type LearnerErrorCode = "FOLDER_LOCKED" | "FOLDER_DAMAGED" | "FOLDER_OTHER" | "JOURNAL_WRITE";
