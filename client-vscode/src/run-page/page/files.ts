/** The files that the run changed. */

import { counted, fileName } from "../../views/text";
import type { ChangedFile } from "../state";
import { changeOf } from "../words";
import { button, el, fill, section } from "./dom";

const MOST = 200;

export interface FileActions {
  readonly open: (path: string) => void;
  readonly review: () => void;
}

export class Files {
  readonly root: HTMLElement;
  private readonly sum = el("span", "figures");
  private readonly list = el("ul", "files");
  private readonly rest = el("p", "hint");

  constructor(private readonly actions: FileActions) {
    const { root, title } = section("panel", "Changes");
    this.root = root;
    const review = button("Review all", {
      class: "link",
      attributes: { title: "Open all changes side by side" },
      onClick: actions.review,
    });
    root.append(el("div", "panel-title", title, this.sum, review), this.list, this.rest);
    root.hidden = true;
  }

  update(files: readonly ChangedFile[]): void {
    const focused = [...this.list.children].findIndex((row) => row.contains(document.activeElement));
    const added = files.reduce((sum, file) => sum + file.added, 0);
    const deleted = files.reduce((sum, file) => sum + file.deleted, 0);
    fill(this.sum, counted(files.length, "file"), ` +${added} −${deleted}`);
    fill(this.list, ...files.slice(0, MOST).map((file) => this.row(file)));
    this.rest.textContent = `and ${files.length - MOST} more: see the review`;
    this.rest.hidden = files.length <= MOST;
    this.root.hidden = files.length === 0;
    this.list.children[focused]?.querySelector("button")?.focus();
  }

  private row(file: ChangedFile): HTMLElement {
    const shown = fileName(file.path, 300);
    const slash = shown.lastIndexOf("/") + 1;
    const change = changeOf(file.status);
    const open = button(el("span", "path", el("span", "folder", shown.slice(0, slash)), shown.slice(slash)), {
      class: "file",
      attributes: { title: `${shown}: ${change}` },
      onClick: () => this.actions.open(file.path),
    });
    const figures = file.binary
      ? [el("span", "figures", "binary")]
      : [el("span", "added", `+${file.added}`), el("span", "deleted", `−${file.deleted}`)];
    open.append(change === "changed" ? "" : el("span", "tag", change), ...figures);
    return el("li", {}, open);
  }
}
