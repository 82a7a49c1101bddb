/** What a row of a tree shows, and which rows of a tree changed. Nothing here knows VS Code. */

/** A codicon and the id of a theme colour. */
export interface Icon {
  readonly id: string;
  readonly color?: string;
}

export interface Row<Subject> {
  /** Stable as long as the row means the same thing, unique in its tree. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: Icon | null;
  /** Markdown whose foreign parts are escaped. */
  readonly tooltip: string;
  /** What a screen reader says. */
  readonly spoken: string;
  /** Words between semicolons that menus look for: `;task;ready;`. */
  readonly context: string;
  readonly expand: "none" | "open" | "closed";
  /** Null: not known yet, asked for when the row is opened. */
  readonly children: readonly Row<Subject>[] | null;
  /** Of less interest: shown dimmed. */
  readonly dim: boolean;
  /** Whether a click on the row does something. */
  readonly click: boolean;
  /** What the row is about, for commands. */
  readonly subject: Subject;
}

/** A row with what most rows don't need left out. */
export function row<Subject>(
  given: Pick<Row<Subject>, "id" | "label" | "subject"> & Partial<Row<Subject>>,
): Row<Subject> {
  const description = given.description ?? "";
  return {
    description,
    icon: null,
    tooltip: "",
    spoken: description ? `${given.label}, ${description}` : given.label,
    context: "",
    expand: "none",
    children: [],
    dim: false,
    click: false,
    ...given,
  };
}

export function contextOf(...words: readonly (string | false | null | undefined)[]): string {
  return `;${words.filter(Boolean).join(";")};`;
}

/** A row in its place; the same object as long as the row stays where it is. */
export interface Node<Subject> {
  row: Row<Subject>;
  readonly parent: Node<Subject> | null;
  children: readonly Node<Subject>[];
}

/** What has to be drawn anew: everything, or these nodes with what is below them. */
export type Changed<Subject> = "all" | readonly Node<Subject>[];

/** Keeps nodes apart from rows, so that rows can be computed anew at any time and only what differs is drawn. */
export class Tree<Subject> {
  roots: readonly Node<Subject>[] = [];
  private nodes = new Map<string, Node<Subject>>();

  find(id: string): Node<Subject> | undefined {
    return this.nodes.get(id);
  }

  /** Take these rows. A second row with an id that is there already is left out. */
  update(rows: readonly Row<Subject>[]): Changed<Subject> {
    const before = this.nodes;
    const after = new Map<string, Node<Subject>>();
    const changed: Node<Subject>[] = [];
    let moved = false;

    const place = (row: Row<Subject>, parent: Node<Subject> | null, above: boolean): Node<Subject> | null => {
      if (after.has(row.id)) {
        return null;
      }
      const known = before.get(row.id);
      const same = known !== undefined && known.parent === parent;
      moved ||= known !== undefined && !same;
      const stays = same && isBranch(known.row) === isBranch(row);
      const node: Node<Subject> = stays ? known : { row, parent, children: [] };
      after.set(row.id, node);
      let drawn = above || !stays;
      if (stays && !looksLike(node.row, row)) {
        changed.push(node);
        drawn = true;
      }
      const listed = node.children;
      node.row = row;
      node.children = row.children === null ? [] : within(row.children, node, drawn);
      if (!drawn && !sameNodes(listed, node.children)) {
        changed.push(node);
      }
      return node;
    };
    const within = (inner: readonly Row<Subject>[], parent: Node<Subject> | null, above: boolean): Node<Subject>[] =>
      inner.map((each) => place(each, parent, above)).filter((each) => each !== null);

    const listed = this.roots;
    this.roots = within(rows, null, false);
    this.nodes = after;
    // An id that turns up in another place must not be there twice while branches are drawn one by one.
    return moved || !sameNodes(listed, this.roots) ? "all" : topmost(changed);
  }
}

/** VS Code keeps a row folded that had nothing below it at first: one that comes to have something is another row. */
export function isBranch(row: Row<unknown>): boolean {
  return row.expand !== "none";
}

/** Those without one of them above. */
function topmost<Subject>(nodes: readonly Node<Subject>[]): readonly Node<Subject>[] {
  const all = new Set(nodes);
  return nodes.filter((node) => {
    for (let above = node.parent; above !== null; above = above.parent) {
      if (all.has(above)) {
        return false;
      }
    }
    return true;
  });
}

function sameNodes<Subject>(left: readonly Node<Subject>[], right: readonly Node<Subject>[]): boolean {
  return left.length === right.length && left.every((node, at) => node === right[at]);
}

function looksLike<Subject>(left: Row<Subject>, right: Row<Subject>): boolean {
  return (
    left.label === right.label &&
    left.description === right.description &&
    left.icon?.id === right.icon?.id &&
    left.icon?.color === right.icon?.color &&
    left.tooltip === right.tooltip &&
    left.spoken === right.spoken &&
    left.context === right.context &&
    left.expand === right.expand &&
    (left.children === null) === (right.children === null) &&
    left.dim === right.dim &&
    left.click === right.click
  );
}

/** The rows that a menu's command is about: those that are selected when the row is one of them, else the row alone. */
export function meant<Item>(
  item: Item | undefined,
  selected: readonly Item[] | undefined,
  view: readonly Item[],
): Item[] {
  if (item === undefined) {
    return [...view];
  }
  return selected?.includes(item) ? [...selected] : [item];
}
