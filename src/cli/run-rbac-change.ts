import { type Dedupe, dedupe, describeRedundancy } from "../analysis/rbac/dedupe.ts";
import { describeObject } from "../analysis/rbac/describe.ts";
import { describeChange, diffRbac, type RbacDiff } from "../analysis/rbac/diff.ts";
import { bindingManifest } from "../analysis/rbac/manifests.ts";
import { dedupeProposal, proposalManifest } from "../analysis/rbac/proposal.ts";
import { type Instantiated, instantiate, type TemplateName } from "../analysis/rbac/template.ts";
import { styleFor, writeYaml } from "../report/index.ts";
import type { CommandContext } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { wantsColor } from "./io.ts";
import { loadRbac, type RbacFlags } from "./rbac-input.ts";
import { columns, writeAnswer } from "./rbac-table.ts";
import { finish } from "./run-policy.ts";
import { writeYamlFile } from "./write-report.ts";

interface DiffFlags {
  readonly identities?: string;
  readonly output: "table" | "json" | "yaml";
}

export async function runDiff(before: string, after: string, flags: DiffFlags, context: CommandContext): Promise<void> {
  const old = await loadRbac({ ...flags, file: [before] }, "rights", context);
  const now = await loadRbac({ ...flags, file: [after] }, "rights", context);
  const diff = diffRbac(old.world, now.world, now.identities);
  writeAnswer(diff, () => diffText(diff, context), flags.output, context);
  if (diff.changes.length > 0) context.exit(exitCodes.findings);
  finish([...old.diagnostics, ...now.diagnostics], context);
}

function diffText({ changes, unresolved }: RbacDiff, { io }: CommandContext): string {
  const { bold, green, level } = styleFor(wantsColor(io));
  const lines = changes.flatMap((change) => describeChange(change));
  const styled = lines.map((line) =>
    line.startsWith("  +") ? green(line) : line.startsWith("  -") ? level("high", line) : bold(line),
  );
  const gaining = new Set(changes.filter((c) => c.gains.length > 0).map((c) => c.subject)).size;
  const losing = new Set(changes.filter((c) => c.loses.length > 0).map((c) => c.subject)).size;
  const verdict =
    changes.length === 0 ? "Nobody gains or loses a right." : `${gaining} subjects gain rights, ${losing} lose rights.`;
  return [...styled, ...unresolved, verdict].map((line) => `${line}\n`).join("");
}

export interface DedupeFlags extends RbacFlags {
  readonly proposal?: string;
}

export async function runDedupe(flags: DedupeFlags, context: CommandContext): Promise<void> {
  const input = await loadRbac(flags, "rights", context);
  const result = dedupe(input.world);
  const proposal = dedupeProposal(result);
  // What is not proven is not proposed.
  if (flags.proposal !== undefined && result.proven) writeYamlFile(flags.proposal, proposalManifest(proposal));
  const answer = {
    found: result.found.map((f) => ({ kind: f.kind, says: describeRedundancy(f) })),
    delete: proposal.delete,
    apply: proposal.apply,
    proven: result.proven,
  };
  writeAnswer(answer, () => dedupeText(result), flags.output, context);
  if (result.found.length > 0) context.exit(exitCodes.findings);
  finish(input.diagnostics, context);
}

function dedupeText({ found, removed, added, proven }: Dedupe): string {
  if (found.length === 0) return "No role or binding is superfluous.\n";
  const lines = found.map((f) => `${describeRedundancy(f)}.`);
  if (removed.length > 0) lines.push("", "Delete:", ...removed.map((object) => `  ${describeObject(object)}`));
  if (added.length > 0)
    lines.push("", "Apply (a roleRef cannot be changed in place):", ...added.map((b) => indent(writeYaml(bindingManifest(b)))));
  if (removed.length > 0)
    lines.push(
      "",
      proven ? "Proven: every subject keeps exactly its rights." : "Not proven: rights would change. Do not apply this.",
    );
  return lines.map((line) => `${line}\n`).join("");
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

export interface TemplateFlags {
  readonly namespace: string;
  readonly group?: string;
  readonly output: "table" | "json" | "yaml";
}

export function runTemplate(name: TemplateName, { namespace, group, output }: TemplateFlags, context: CommandContext): void {
  const made = instantiate(name, namespace, group);
  if (output === "yaml") context.io.out(made.objects.map(writeYaml).join("---\n"));
  else writeAnswer(made, () => templateText(made, context), output, context);
  if (made.proof.some((p) => p.expected !== p.answer)) context.exit(exitCodes.findings);
}

function templateText({ holder, objects, proof }: Instantiated, { io }: CommandContext): string {
  const rows = proof.map(({ question, namespace, expected, answer }) => [
    answer ? "yes" : "no",
    question,
    namespace,
    answer === expected ? "" : `should be ${expected ? "yes" : "no"}`,
  ]);
  return [objects.map(writeYaml).join("---\n"), "\n", `# ${holder}\n`, columns(["MAY", "WHAT", "NAMESPACE", ""], rows, io)].join(
    "",
  );
}
