import * as vscode from "vscode";
import { guarded } from "../commands";
import { read } from "../commands/arguments";
import type { Context } from "../context";
import type { Decision } from "../protocol";
import { registerContents } from "./contents";
import { Deciding } from "./deciding";
import { registerFailures } from "./failures";
import type { File } from "./files";
import { registerMarks } from "./marks";
import { Notices } from "./notices";
import { Proposals } from "./proposal";
import { type Opened, Review } from "./review";
import { checkpointsOf } from "./store";
import { registerTree } from "./tree";

/** What is at hand in a review: decisions in the title of its editor and of its view. */
const DECISIONS: readonly Decision[] = ["continue", "commit", "revise", "recheck"];

export function register(context: Context): void {
  const checkpoints = checkpointsOf(context);
  const review = new Review(context, checkpoints);
  const proposals = new Proposals(context);
  const deciding = new Deciding(context, checkpoints, () => review, proposals);
  const notices = new Notices(context, checkpoints, deciding);
  const command = (name: string, act: (...args: readonly unknown[]) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(name, (...args: readonly unknown[]) => guarded(context, name, () => act(...args)));

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
    proposals,
    registerContents(context),
    registerFailures(context),
    registerTree(review),
    registerMarks(review),
    command("devloop.proposal", (given) => deciding.showProposal(read(given))),
    command("devloop.noSecret", (given) => deciding.noSecret(read(given))),
    command("devloop.answer", (given) => deciding.choose(read(given))),
    command("devloop.decide", (given) => deciding.take(read(given))),
    command("devloop.review", (given) => {
      const path = typeof given === "object" && given !== null && "path" in given ? given.path : undefined;
      return review.open(read(given), typeof path === "string" && !(given instanceof vscode.Uri) ? path : undefined);
    }),
    command("devloop.review.decide", () => {
      const { shown } = review;
      return deciding.choose(shown === undefined ? {} : { run: shown.run, uri: shown.folder });
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
