/** The files of a review: what stands on either side of the diff, and which are left out. */

import type { Content, Diff, DiffFile } from "../protocol";
import { counted, fileName, oneLine, runName } from "../views/text";

/** Our documents: read-only, made of `devloop/content`. */
export const SCHEME = "devloop-review";
export type Side = "base" | "work";

export type Change = "added" | "deleted" | "changed";

export interface File {
  readonly path: string;
  /** Where it was before, when it was renamed. */
  readonly old: string | null;
  readonly change: Change;
  readonly added: number;
  readonly deleted: number;
  readonly binary: boolean;
}

/** What a document of ours shows. It never changes: another checkpoint has other addresses. */
export interface Address {
  readonly folder: string;
  readonly run: string;
  /** The commit in which it stands, so that it is the same whatever the run does meanwhile; "" for the newest. */
  readonly at: string;
  readonly path: string;
  readonly side: Side;
}

/** More than that many files in one editor are no help to anybody. */
export const MOST_FILES = 200;

export function queryOf(address: Address): string {
  const { folder, run, at, side } = address;
  return new URLSearchParams({ run, at, side, folder }).toString();
}

/** The address in a URI of ours; undefined for one that is not ours. */
export function addressOf(uri: { scheme: string; path: string; query: string }): Address | undefined {
  if (uri.scheme !== SCHEME) {
    return undefined;
  }
  const query = new URLSearchParams(uri.query);
  const [run, at, side, folder] = ["run", "at", "side", "folder"].map((name) => query.get(name));
  if (!run || at == null || !folder || (side !== "base" && side !== "work")) {
    return undefined;
  }
  return { folder, run, at, side, path: uri.path.replace(/^\//, "") };
}

export function filesOf(changes: Pick<Diff, "files">): readonly File[] {
  return changes.files.map(fileOf).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function fileOf(told: DiffFile): File {
  const letter = told.status.charAt(0).toUpperCase();
  const old = letter === "R" ? told.old_path : null;
  return {
    path: told.path,
    old,
    change: letter === "A" || letter === "C" ? "added" : letter === "D" ? "deleted" : "changed",
    added: told.added ?? 0,
    deleted: told.deleted ?? 0,
    binary: told.binary,
  };
}

/** `+3 −1`, `new, +12`, `deleted`, `binary`. */
export function figuresOf(file: File): string {
  const size = file.binary ? "binary" : `+${file.added} −${file.deleted}`;
  if (file.change === "deleted") {
    return file.binary ? "deleted, binary" : "deleted";
  }
  if (file.old !== null) {
    return `renamed from ${fileName(file.old)}, ${size}`;
  }
  return file.change === "added" ? `new, ${file.binary ? "binary" : `+${file.added}`}` : size;
}

export function reviewTitle(run: { readonly task: string; readonly title: string }): string {
  return `Review ${run.task.startsWith("@") ? runName(run, 60) : oneLine(`${run.task}: ${run.title}`, 60)}`;
}

/** What stands in an editor for the answer to `devloop/content`: a document has to be a text. */
export function textOf(content: Content, path: string): string {
  if (content.text !== null) {
    return content.text;
  }
  if (content.problem) {
    return `${fileName(path)}: ${oneLine(content.problem, 300)}\n`;
  }
  return content.binary ? `${fileName(path)} is a binary file of ${sizeOf(content.size)}.\n` : "";
}

export function sizeOf(bytes: number): string {
  if (bytes < 1000) {
    return counted(bytes, "byte");
  }
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Which files of an open checkpoint a person leaves out of what is accepted. */
export class LeftOut {
  private readonly by = new Map<string, Set<string>>();

  has(key: string, path: string): boolean {
    return this.by.get(key)?.has(path) ?? false;
  }

  count(key: string): number {
    return this.by.get(key)?.size ?? 0;
  }

  set(key: string, path: string, out: boolean): void {
    const paths = this.by.get(key) ?? new Set();
    if (out) {
      paths.add(path);
    } else {
      paths.delete(path);
    }
    if (paths.size > 0) {
      this.by.set(key, paths);
    } else {
      this.by.delete(key);
    }
  }

  forget(key: string): void {
    this.by.delete(key);
  }

  /** What a decision carries; either name of a renamed file stands for both. */
  paths(key: string, files: readonly File[]): readonly string[] {
    return files.map((file) => file.path).filter((path) => this.has(key, path));
  }
}
