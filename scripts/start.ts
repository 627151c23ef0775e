import { parseArgs } from "node:util";

// What `npm start` runs: the cluster that the command line names, else the sample platform with its people and what was recorded of it.
const platform = "examples/ai-platform";
const sample = [
  ["--files", `${platform}/as-written`],
  ["--access", `${platform}/access`],
  ["--identities", `${platform}/identities.yaml`],
  ["--audit-log", `${platform}/recorded/audit.jsonl`],
  ["--flows", `${platform}/recorded/flows.jsonl`],
  // Beside the usual place: the evidence of a real cluster does not begin with that of a sample.
  ["--data", ".castellan/sample"],
].flat();
const names = ["kubeconfig", "context", "clusters", "files"];

const args = process.argv.slice(2);
const { tokens } = parseArgs({ args, strict: false, tokens: true });
const isNamed = tokens.some((token) => token.kind === "option" && names.includes(token.name));
if (!isNamed) {
  process.stderr.write(
    "This is the sample platform; npm start -- --kubeconfig FILE (or --context NAME) governs a real cluster.\n",
  );
}
process.argv.splice(2, args.length, "serve", ...(isNamed ? [] : sample), ...args);
await import("../bin/castellan.js");
