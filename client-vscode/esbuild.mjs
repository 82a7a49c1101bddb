// Two bundles: the extension (Node, in the extension host) and the run page's script (browser, in the webview).
import { context } from "esbuild";

const common = { bundle: true, minify: true, logLevel: "warning", legalComments: "none" };
const bundles = [
  {
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "dist/extension.js",
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["vscode"],
  },
  {
    ...common,
    entryPoints: ["src/run-page/page/main.ts"],
    outfile: "dist/run-page.js",
    platform: "browser",
    target: "es2022",
    format: "iife",
  },
];

const contexts = await Promise.all(bundles.map((options) => context(options)));
if (process.argv.includes("--watch")) {
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  await Promise.all(contexts.map((each) => each.rebuild()));
  await Promise.all(contexts.map((each) => each.dispose()));
}
