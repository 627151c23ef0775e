import { writeFileSync } from "node:fs";
import { diagnosticCodes } from "../src/core/diagnostic-codes.ts";

/** docs/reference/errors.md, from the table of codes. */
export function errorsReference(): string {
  const codes = Object.entries(diagnosticCodes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const entries = codes.map(([code, { meaning, next }]) => `## ${code}\n\n${meaning}\n\n**Next:** ${next}\n`);
  return `# Diagnostic codes

Every problem with an input carries one of these codes, the place (\`file:line:column\`) and a message. They are stable: scripts
may rely on them. An error makes the command end with exit code 2 (see [exit codes](exit-codes.md)); a warning does not.

${entries.join("\n")}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/reference/errors.md", import.meta.url), errorsReference());
}
