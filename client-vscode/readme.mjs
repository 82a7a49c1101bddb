// The README that is packed: without its pictures, which are larger than the rest of the extension together.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

mkdirSync("dist", { recursive: true });
const text = readFileSync("README.md", "utf8");
writeFileSync("dist/README.md", text.replace(/^!\[[^\]]*\]\(media\/readme\/[^)]*\)\n\n/gm, ""));
