import { writeFileSync } from "node:fs";
import { lintChecks } from "../src/analysis/resources/checks.ts";

/** docs/reference/linter.md, from the table of checks. */
export function linterReference(): string {
  const entries = Object.entries(lintChecks).map(([id, check]) => {
    const rules = Object.entries(check.rules).map(([rule, what]) => `| \`${rule}\` | ${what} |`);
    const more = "url" in check ? `\n[Kubernetes documentation](${check.url})\n` : "";
    return `## lint/${id}

**${check.title}** · ${check.category} · ${check.severity}

${check.why}
${more}
| rule | found |
|---|---|
${rules.join("\n")}
`;
  });
  return `# Linter

\`castellan scan\` judges every object by the schema of its kind (all built-in kinds of the newest Kubernetes minor that Castellan
knows, and custom kinds whose CustomResourceDefinition is among the files), and by the traps below. The evidence of a finding
says what the API server does about it: \`apiServer: refuses-object\`, or \`drops-field\` where an object of a client without strict
field validation is stored without the field. Each such statement was tried on a real API server.

The severity is that of the check; single findings may differ from it.

${entries.join("\n")}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/reference/linter.md", import.meta.url), linterReference());
}
