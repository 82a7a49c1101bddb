import { beforeEach, expect, it, vi } from "vitest";
import { registerContents } from "../src/checkpoints/contents";
import { queryOf, SCHEME } from "../src/checkpoints/files";

type Provider = { provideTextDocumentContent(uri: unknown): Promise<string> };
const vs = vi.hoisted(() => ({ provider: undefined as Provider | undefined }));
vi.mock("vscode", () => ({
  workspace: {
    registerTextDocumentContentProvider: (_: string, provider: Provider) => {
      vs.provider = provider;
      return { dispose: () => undefined };
    },
  },
}));

const FOLDER = "file:///purse";
const uri = {
  scheme: SCHEME,
  path: "/purse/money.py",
  query: queryOf({ folder: FOLDER, run: "run-1-1-1", at: "abc", path: "purse/money.py", side: "work" }),
};
let all: object[] = [];
let changed: () => void = () => undefined;
const session = {
  folder: { uri: { toString: () => FOLDER } },
  request: async (_: string, given: object) => ({ text: JSON.stringify(given), binary: false, size: 1, problem: null }),
};

beforeEach(() => {
  vi.useFakeTimers();
  all = [];
  const onDidChange = (listener: () => void) => {
    changed = listener;
    return { dispose: () => undefined };
  };
  const sessions = {
    get all() {
      return all;
    },
    onDidChange,
  };
  registerContents({ sessions } as never);
});

it("a document that is asked for before its folder is there waits for that", async () => {
  const text = vs.provider?.provideTextDocumentContent(uri);
  await vi.advanceTimersByTimeAsync(1_000);
  all = [session];
  changed();
  expect(JSON.parse((await text) ?? "")).toEqual({
    run: "run-1-1-1",
    path: "purse/money.py",
    side: "work",
    commit: "abc",
  });
});

it("a document of a folder that is not open says so", async () => {
  const text = vs.provider?.provideTextDocumentContent(uri);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(await text).toContain("not open here");
});
