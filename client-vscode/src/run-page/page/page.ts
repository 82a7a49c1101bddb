/** The page: its parts, what they say to the host, and which of them a patch is for. */

import { announcement } from "../announce";
import { isRecord } from "../check";
import type { FromPage, ToPage } from "../messages";
import { readToPage } from "../messages";
import { patched } from "../patch";
import { blank, type PageState } from "../state";
import { CheckpointArea } from "./checkpoint";
import { el, setText } from "./dom";
import { Files } from "./files";
import { Follow } from "./follow";
import { Gates } from "./gates";
import { Header } from "./header";
import { Transcript } from "./transcript";
import { Usage } from "./usage";

/** What the bar covers counts as out of sight. */
const BELOW_BAR = "-72px 0px 0px 0px";

/** The host, as a page in a webview has it. */
export interface Port {
  post(message: FromPage): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** What outlives the page: which run it shows, what was opened, where it stood, what was being written. */
interface Memory {
  readonly run: string;
  readonly folder: string;
  readonly chosen: readonly (readonly [number, boolean])[];
  readonly scroll: number;
  readonly draft: string;
}

export class RunPage {
  private state: PageState = blank("");
  private memory: Memory;
  private readonly chosen: Map<number, boolean>;
  private readonly live = el("p", { class: "hidden-word", attributes: { role: "status", "aria-live": "polite" } });
  private readonly notices = el("ul", "notices");
  private readonly header: Header;
  private readonly checkpoint: CheckpointArea;
  private readonly gates = new Gates();
  private readonly files: Files;
  private readonly usage: Usage;
  private readonly transcript: Transcript;
  private readonly follow: Follow;
  private began = false;

  constructor(
    root: HTMLElement,
    private readonly port: Port,
  ) {
    this.memory = { ...remembered(port.getState()), ...identity(root) };
    port.setState(this.memory);
    this.chosen = new Map(this.memory.chosen);
    const review = () => port.post({ type: "review" });
    this.header = new Header({
      goToDecision: () => this.checkpoint.focus(),
      cancel: () => port.post({ type: "cancel" }),
      openTranscript: () => port.post({ type: "open", what: "transcript" }),
      openPlan: () => port.post({ type: "open", what: "plan" }),
    });
    this.checkpoint = new CheckpointArea(
      {
        decide: (checkpoint, decision, message) => port.post({ type: "decide", checkpoint, decision, message }),
        without: (checkpoint, decision) => port.post({ type: "without", checkpoint, decision }),
        noSecret: (checkpoint) => port.post({ type: "noSecret", checkpoint }),
        proposal: () => port.post({ type: "proposal" }),
        review,
        draft: (draft) => this.remember({ draft }),
      },
      this.memory.draft,
    );
    this.files = new Files({ open: (path) => port.post({ type: "file", path }), review });
    this.usage = new Usage((turn) => this.transcript.goTo(turn));
    this.transcript = new Transcript(
      {
        look: (turns) => port.post({ type: "look", turns }),
        remember: (chosen) => this.remember({ chosen: [...chosen] }),
      },
      this.chosen,
    );
    const scroller = document.documentElement;
    this.follow = new Follow(scroller, () => this.transcript.root.querySelector(".turn:last-of-type .turn-head"));
    const aside = el(
      "aside",
      { class: "rail", attributes: { "aria-label": "Evidence" } },
      this.gates.root,
      this.files.root,
      this.usage.root,
    );
    const main = el(
      "main",
      {},
      el("div", "wide", this.header.below, this.notices, this.checkpoint.root),
      el("div", "columns", aside, this.transcript.root),
    );
    root.replaceChildren(this.header.root, main, this.follow.root, this.live);
    this.notices.hidden = true;
    const sight = new IntersectionObserver((seen) => this.header.inSight(seen.at(-1)?.isIntersecting ?? false), {
      rootMargin: BELOW_BAR,
    });
    sight.observe(this.checkpoint.root);
    addEventListener("scroll", () => this.remember({ scroll: scroller.scrollTop }), { passive: true });
  }

  /** Ask the host for what there is to show. */
  begin(): void {
    this.port.post({ type: "ready" });
  }

  /** Anything that arrives; what is no message of the host's is passed over. */
  take(message: unknown): void {
    const read = readToPage(message);
    if (read?.type === "answered") {
      this.checkpoint.answered(read.taken, read.problem);
    } else if (read?.type === "show") {
      this.show(read);
    }
  }

  private show(message: Extract<ToPage, { type: "show" }>): void {
    const before = this.state;
    const after = patched(message.whole ? blank("") : before, message.patch);
    this.state = after;
    if (message.whole) {
      this.transcript.forget();
    }
    this.follow.before();
    this.render(before, after, message.whole);
    if (message.whole) {
      this.follow.forget();
    }
    if (!this.began) {
      this.began = true;
      document.documentElement.scrollTop = this.memory.scroll;
    } else {
      this.follow.after(!message.whole && before.turns.at(-1)?.number !== after.turns.at(-1)?.number);
      const told = announcement(before, after);
      if (told !== "") {
        setText(this.live, told);
      }
    }
  }

  private render(before: PageState, after: PageState, whole: boolean): void {
    const differs = (...names: readonly (keyof PageState)[]) =>
      whole || names.some((name) => before[name] !== after[name]);
    if (differs("run", "doing", "checkpoint", "trouble")) {
      this.header.update(after);
    }
    if (differs("run")) {
      this.header.updateFacts(after.run);
    }
    if (differs("checkpoint", "locked")) {
      this.checkpoint.update(after.checkpoint, after.locked);
    }
    if (differs("gates")) {
      this.gates.update(after.gates);
    }
    if (differs("files")) {
      this.files.update(after.files);
    }
    if (differs("notices")) {
      this.notices.replaceChildren(...after.notices.map((notice) => el("li", {}, notice)));
      this.notices.hidden = after.notices.length === 0;
    }
    if (differs("turns")) {
      this.usage.update(after.turns);
    }
    if (differs("turns", "bodies", "said")) {
      this.transcript.update(after);
    }
  }

  private remember(change: Partial<Memory>): void {
    this.memory = { ...this.memory, ...change };
    this.port.setState(this.memory);
  }
}

function identity({ dataset }: HTMLElement): Pick<Memory, "run" | "folder"> {
  return { run: dataset["run"] ?? "", folder: dataset["folder"] ?? "" };
}

function remembered(value: unknown): Omit<Memory, "run" | "folder"> {
  const told = isRecord(value) ? value : {};
  const { chosen, scroll, draft } = told;
  const pairs = Array.isArray(chosen) ? chosen : [];
  return {
    chosen: pairs.filter(isChoice),
    scroll: typeof scroll === "number" ? scroll : 0,
    draft: typeof draft === "string" ? draft : "",
  };
}

function isChoice(value: unknown): value is readonly [number, boolean] {
  return Array.isArray(value) && typeof value[0] === "number" && typeof value[1] === "boolean";
}
