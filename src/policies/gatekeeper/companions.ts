import type { Diagnostic } from "../../core/diagnostic.ts";
import type { CompileEnv } from "../policy.ts";
import { circular, isExpansionTemplate, readExpansionTemplate } from "./expansion.ts";
import { gatekeeperWorld } from "./world.ts";

function expansionDiagnostics(env: CompileEnv): readonly Diagnostic[] {
  const { documents } = gatekeeperWorld(env);
  const read = documents.filter(({ value }) => isExpansionTemplate(value)).map(readExpansionTemplate);
  const circles = circular(read.flatMap(({ template }) => (template === undefined ? [] : [template])));
  for (const { template, report } of read) {
    if (template === undefined || !circles.has(template.name)) continue;
    const message = "what it generates leads back to what it expands, so nothing is expanded by it";
    report.error("GATEKEEPER_EXPANSION", ["spec", "generatedGVK"], message);
  }
  return read.flatMap(({ report }) => report.diagnostics);
}

/** What is wrong with the templates among the documents. */
export function gatekeeperDiagnostics(env: CompileEnv): readonly Diagnostic[] {
  const { templates } = gatekeeperWorld(env);
  return [...[...templates.values()].flatMap(({ diagnostics }) => diagnostics), ...expansionDiagnostics(env)];
}
