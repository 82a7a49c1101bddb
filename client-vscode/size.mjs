// Prints the size of the packed extension; one that is not small is a mistake.
import { statSync } from "node:fs";

const LIMIT = 200_000;
const file = process.argv[2] ?? "devloop.vsix";
const { size } = statSync(file);
console.log(`${file}: ${(size / 1000).toFixed(1)} kB of ${LIMIT / 1000} kB`);
if (size >= LIMIT) {
  process.exitCode = 1;
}
