import { readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";

/** Run by loading.ts in a process of its own, so that nothing is warm: prints documents and CPU milliseconds as JSON. */
const [reader, path = "", positions] = process.argv.slice(2);
const before = process.cpuUsage();
let documents: number;
if (reader === "js-yaml") {
  documents = loadAll(readFileSync(path, "utf8"), { json: true }).length;
} else {
  const loaded = await loadPaths([path]);
  if (positions !== undefined) for (const document of loaded.documents) document.locate(["metadata", "name"]);
  documents = loaded.documents.length;
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ documents, cpu: (user + system) / 1000 }));
