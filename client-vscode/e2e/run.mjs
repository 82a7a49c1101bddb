// Plays the scenarios in a real VS Code.
//
//   node e2e/run.mjs [--repeat N] [NAME …]     all whose name contains one of the words, or all; exit status 1 if one failed
//   node e2e/run.mjs --serve                   names come on standard input, one a line; each gives a line of JSON
import readline from "node:readline";
import { names, Suite } from "./harness/suite.mjs";

const args = process.argv.slice(2);
const serve = args.includes("--serve");
const at = args.indexOf("--repeat");
const repeat = at < 0 ? 1 : Number(args.splice(at, 2)[1]);
const words = args.filter((word) => !word.startsWith("--"));

async function* asked() {
  if (serve) {
    yield* readline.createInterface({ input: process.stdin });
    return;
  }
  for (let round = 0; round < repeat; round += 1) {
    yield* names().filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
    yield null;
  }
}

let suite = new Suite();
let failed = 0;
let passed = 0;
let ending = false;

async function end() {
  if (!ending) {
    ending = true;
    await suite.end();
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => end().then(() => process.exit(1)));
}

for await (const name of asked()) {
  if (name === null) {
    // Another round begins with nothing left of this one.
    await suite.end();
    suite = new Suite();
    continue;
  }
  const result = await suite.play(name);
  passed += result.ok ? 1 : 0;
  failed += result.ok ? 0 : 1;
  if (serve) {
    console.log(JSON.stringify(result));
    continue;
  }
  console.log(`${result.ok ? "pass" : "FAIL"} ${name} ${result.seconds.toFixed(1)} s ${JSON.stringify(result.notes)}`);
  if (!result.ok) {
    console.log(`${result.error}\n${result.pictures.join("\n")}\n${result.logs}`);
  }
}
await end();
if (!serve) {
  console.log(`${passed} passed, ${failed} failed`);
}
process.exit(failed > 0 && !serve ? 1 : 0);
