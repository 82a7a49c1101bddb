/** What host and page say to each other. Each side checks what it is told before it acts. */

import { anyOf, type Checked, flag, list, nullable, object, oneOf, text, whole } from "./check";
import { patch } from "./patch";

const LONGEST = 20_000;
const words = (value: unknown): value is string => text(value) && value.length <= LONGEST;

const fromPage = {
  /** The page is there and knows nothing. */
  ready: object({ type: oneOf("ready") }),
  /** It wants these turns in full. */
  look: object({ type: oneOf("look"), turns: list(whole) }),
  /** A person decided; `checkpoint` is the one that was shown. */
  decide: object({ type: oneOf("decide"), decision: words, checkpoint: whole, message: nullable(words) }),
  /** The same, accepted without what it proposes for the plan. */
  without: object({ type: oneOf("without"), decision: words, checkpoint: whole }),
  /** What holds the work back is no secret; of several findings the person is asked which. */
  noSecret: object({ type: oneOf("noSecret"), checkpoint: whole }),
  cancel: object({ type: oneOf("cancel") }),
  proposal: object({ type: oneOf("proposal") }),
  review: object({ type: oneOf("review") }),
  file: object({ type: oneOf("file"), path: words }),
  /** Open something beside the page. */
  open: object({ type: oneOf("open"), what: oneOf("plan", "transcript") }),
} as const;

const toPage = {
  /** `whole`: forget what was shown before. */
  show: object({ type: oneOf("show"), whole: flag, patch }),
  /** What came of a decision; one that was not taken may have been called off, then nothing is the problem. */
  answered: object({ type: oneOf("answered"), taken: flag, problem: text }),
} as const;

const isFromPage = anyOf(fromPage);
const isToPage = anyOf(toPage);

export type FromPage = Checked<typeof isFromPage>;
export type ToPage = Checked<typeof isToPage>;

/** The message, or undefined for anything that is none. */
export function readFromPage(value: unknown): FromPage | undefined {
  return isFromPage(value) ? value : undefined;
}

export function readToPage(value: unknown): ToPage | undefined {
  return isToPage(value) ? value : undefined;
}
