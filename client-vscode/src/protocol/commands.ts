/** What commands of the server take. */

import type { Decision } from "./checkpoints";
import type { TaskReference } from "./plan";

/** The one object that a command of the server takes. */
export interface CommandArguments {
  readonly uri?: string;
  readonly task?: TaskReference;
  readonly run?: string;
  readonly decision?: Decision;
  readonly checkpoint?: number;
  readonly phase?: string;
  readonly message?: string;
  /** What is accepted without, as the checkpoint names it: `plan` is its proposal. */
  readonly leave_out?: readonly string[];
  readonly limit?: number;
  /** What a review found, and the review itself. */
  readonly finding?: string;
  readonly review?: string;
}
