import * as vscode from "vscode";
import { read } from "../commands/arguments";
import type { Context } from "../context";
import type { Decision } from "../protocol";
import { registerContents } from "./contents";
import { type About, Deciding } from "./deciding";
import type { File } from "./files";
import { registerMarks } from "./marks";
import { Notices } from "./notices";
import { type Opened, Review } from "./review";
import { checkpointsOf } from "./store";
import { registerTree } from "./tree";

/** What is at hand in a review: decisions in the title of its editor and of its view. */
const DECISIONS: readonly Decision[] = ["continue", "commit", "revise", "recheck"];

export function register(context: Context): void {
  const checkpoints = checkpointsOf(context);
  const review = new Review(context, checkpoints);
  const deciding = new Deciding(context, checkpoints, () => review);
  const notices = new Notices(context, checkpoints, (choice, { session, run, open }) =>
    deciding.act(choice, { session, run, content: open.content }),
  );
  const command = (name: string, act: (...args: readonly unknown[]) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(name, async (...args: readonly unknown[]) => {
      try {
        await act(...args);
      } catch (problem) {
        void vscode.window.showWarningMessage(problem instanceof Error ? problem.message : String(problem));
      }
    });

  const decideShown = (decision: Decision): unknown => {
    const { shown } = review;
    const place = shown && review.placeOf(shown);
    return place === undefined ? deciding.choose({}) : deciding.decide(place, decision);
  };
  const leave =
    (out: boolean) =>
    (given: unknown): unknown => {
      const found = rowOf(given) ?? review.fileOf(uriOf(given) ?? activeUri() ?? vscode.Uri.parse("none:"));
      return found === undefined
        ? review.shown && review.chooseFiles(review.shown)
        : review.leave(found.review, [found.file], out);
    };

  context.extension.subscriptions.push(
    review,
    notices,
    registerContents(context),
    registerTree(review),
    registerMarks(review),
    command("devloop.answer", (about) => deciding.choose(aboutOf(about))),
    // Lenses, code actions and links carry the server's name of it.
    command("devloop.decide", async (given) => {
      const { decision, message } = read(given);
      const place = decision === undefined ? undefined : await deciding.place(aboutOf(given));
      if (decision === undefined) {
        await deciding.choose(aboutOf(given));
      } else if (place !== undefined) {
        await deciding.decide(place, decision, message);
      }
    }),
    command("devloop.review", (about) => review.open(aboutOf(about))),
    command("devloop.review.decide", () => {
      const { shown } = review;
      return deciding.choose(shown === undefined ? {} : { run: shown.run });
    }),
    command("devloop.review.files", () => review.shown && review.chooseFiles(review.shown)),
    command("devloop.review.leaveOut", leave(true)),
    command("devloop.review.takeIn", leave(false)),
    command("devloop.review.openFile", (row) => {
      const found = rowOf(row);
      return found && review.openFile(found.review, found.file);
    }),
    ...DECISIONS.map((decision) => command(`devloop.review.${decision}`, () => decideShown(decision))),
  );
}

/** What a lens, a link or another part passes: `{run, checkpoint}`; menus pass other things, which say nothing. */
function aboutOf(given: unknown): About {
  if (typeof given !== "object" || given === null) {
    return {};
  }
  const { run, checkpoint } = given as { readonly run?: unknown; readonly checkpoint?: unknown };
  return {
    ...(typeof run === "string" ? { run } : {}),
    ...(typeof checkpoint === "number" ? { checkpoint } : {}),
  };
}

function rowOf(given: unknown): { readonly review: Opened; readonly file: File } | undefined {
  return typeof given === "object" && given !== null && "review" in given && "file" in given
    ? (given as { readonly review: Opened; readonly file: File })
    : undefined;
}

function uriOf(given: unknown): vscode.Uri | undefined {
  return given instanceof vscode.Uri ? given : undefined;
}

function activeUri(): vscode.Uri | undefined {
  return vscode.window.activeTextEditor?.document.uri;
}
