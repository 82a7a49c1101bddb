/** Rows as a tree of VS Code. */
import * as vscode from "vscode";
import { isBranch, type Node, type Row, Tree } from "./rows";

const DIMMED = "devloop-row";

export interface Wishes<Subject> {
  /** The command of a click; it is given the node. */
  readonly click: string;
  /** Asked when a row is opened whose children are not known; updates the rows when it knows them. */
  readonly load?: (node: Node<Subject>) => Promise<void>;
}

export class RowProvider<Subject> implements vscode.TreeDataProvider<Node<Subject>>, vscode.Disposable {
  private readonly tree = new Tree<Subject>();
  private readonly emitter = new vscode.EventEmitter<Node<Subject>[] | undefined>();
  readonly onDidChangeTreeData = this.emitter.event;

  constructor(private readonly wishes: Wishes<Subject>) {}

  get empty(): boolean {
    return this.tree.roots.length === 0;
  }

  show(rows: readonly Row<Subject>[]): void {
    const changed = this.tree.update(rows);
    if (changed === "all") {
      this.emitter.fire(undefined);
    } else if (changed.length > 0) {
      this.emitter.fire([...changed]);
    }
  }

  async getChildren(node?: Node<Subject>): Promise<Node<Subject>[]> {
    if (node?.row.children === null) {
      await this.wishes.load?.(node);
    }
    return [...(node === undefined ? this.tree.roots : node.children)];
  }

  getParent(node: Node<Subject>): Node<Subject> | null {
    return node.parent;
  }

  getTreeItem(node: Node<Subject>): vscode.TreeItem {
    const { row } = node;
    const item = new vscode.TreeItem(row.label, STATES[row.expand]);
    item.id = isBranch(row) ? `${row.id} +` : row.id;
    item.description = row.description;
    item.tooltip = row.tooltip === "" ? row.label : new vscode.MarkdownString(row.tooltip);
    item.contextValue = row.context;
    item.accessibilityInformation = { label: row.spoken };
    if (row.icon !== null) {
      const color = row.icon.color === undefined ? undefined : new vscode.ThemeColor(row.icon.color);
      item.iconPath = new vscode.ThemeIcon(row.icon.id, color);
    }
    if (row.dim) {
      item.resourceUri = vscode.Uri.from({ scheme: DIMMED, path: "/", query: "dim" });
    }
    if (row.click) {
      item.command = { command: this.wishes.click, title: "Open", arguments: [node] };
    }
    return item;
  }

  dispose(): void {
    this.emitter.dispose();
  }
}

const STATES = {
  none: vscode.TreeItemCollapsibleState.None,
  open: vscode.TreeItemCollapsibleState.Expanded,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
} as const;

/** Colours the labels of rows that are of less interest. */
export function dimRows(): vscode.Disposable {
  const decoration = new vscode.FileDecoration(undefined, undefined, new vscode.ThemeColor("descriptionForeground"));
  return vscode.window.registerFileDecorationProvider({
    provideFileDecoration: (uri) => (uri.scheme === DIMMED ? decoration : undefined),
  });
}
