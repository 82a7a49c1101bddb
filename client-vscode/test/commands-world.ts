/** A window with two folders whose servers say what a test lets them say. Whoever uses it has `vscode` faked. */

import { register } from "../src/commands";
import type { Plan, Status } from "../src/protocol";
import type { SessionState } from "../src/session";
import { vs } from "./commands-vscode";

export const RUNNING: SessionState = {
  kind: "running",
  server: "s",
  version: "0.1.0",
  restricted: false,
  from: "the setting devloop.serverCommand",
};
export const PLAN = {
  uri: "file:///one/.devloop/plan.md",
  phases: [{ id: "2", name: "Phase 2", line: 1 }],
  tasks: [{ id: "2.1", key: "k", title: "t", line: 3, parent: null, state: "ready", run: { id: "r-2.1" } }],
  stats: { phases: [{ total: 1, done: 0 }] },
} as unknown as Plan;

export class FakeSession {
  readonly folder: { name: string; uri: { path: string; toString(): string } };
  readonly calls: unknown[][] = [];
  state: SessionState = RUNNING;
  status: Status | undefined;
  plan: Plan | undefined = PLAN;
  answers: Record<string, unknown> = {};
  restarted = 0;
  constructor(name: string) {
    this.folder = { name, uri: { path: `/${name}`, toString: () => `file:///${name}` } };
  }
  onDidReceiveEvents = () => ({ dispose: () => undefined });
  async request(method: string, params?: object): Promise<unknown> {
    this.calls.push(params === undefined ? [method] : [method, params]);
    const answer = this.answers[method];
    if (answer instanceof Error) {
      throw answer;
    }
    return answer ?? {};
  }
  execute(command: string, args: object = {}): Promise<unknown> {
    return this.request(command, args);
  }
  async restart(): Promise<void> {
    this.restarted++;
  }
}

/** As a lens, a key or a person calls it. */
export const call = (name: string, given?: unknown) => vs.commands.get(name)?.(given);

/** Two folders, the first one in use; everything registered anew, and nothing said or picked yet. */
export function freshWindow(): { readonly one: FakeSession; readonly two: FakeSession } {
  vs.commands.clear();
  vs.keys.clear();
  Object.assign(vs, {
    executed: [],
    said: [],
    picks: [],
    pages: [],
    bar: [],
    revealed: [],
    press: undefined,
    editor: undefined,
    trusted: true,
    folders: [{ name: "one", uri: { scheme: "file", path: "/one", fsPath: "/one", toString: () => "file:///one" } }],
  });
  vs.pick = (items) => items[0];
  const [one, two] = [new FakeSession("one"), new FakeSession("two")];
  const all = [one, two];
  const none = () => ({ dispose: () => undefined });
  const sessions = {
    all,
    get current() {
      return vs.folders?.length ? one : undefined;
    },
    onDidChange: none,
    onDidChangeData: none,
    of: (uri: { toString(): string }) => all.find((each) => uri.toString().startsWith(each.folder.uri.toString())),
    open: () => one,
    withRun: (run: string) => (run === "r-two" ? two : undefined),
  };
  const log = { warn: () => undefined, show: () => undefined };
  const extension = {
    subscriptions: [],
    extension: { packageJSON: { version: "0.1.0" } },
    globalState: { get: (_: string, otherwise: unknown) => otherwise },
  };
  register({ extension, sessions: sessions as never, log } as never);
  return { one, two };
}
