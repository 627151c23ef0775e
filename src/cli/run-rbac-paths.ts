import { type DescribedHop, escalationPaths, type PathReport, parsePlace } from "../analysis/rbac/paths/paths.ts";
import { styleFor, wrap } from "../report/index.ts";
import type { CommandContext } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { wantsColor } from "./io.ts";
import { loadRbac, type RbacFlags } from "./rbac-input.ts";
import { writeAnswer } from "./rbac-table.ts";
import { finish } from "./run-policy.ts";

export interface PathsFlags extends RbacFlags {
  readonly from?: string;
  readonly to: string;
  readonly top: number;
}

export async function runPaths(flags: PathsFlags, context: CommandContext): Promise<void> {
  const input = await loadRbac(flags, "everything", context);
  const report = escalationPaths(input.world, input.identities, {
    from: flags.from === undefined ? undefined : parsePlace(flags.from),
    to: parsePlace(flags.to),
  });
  writeAnswer(report, () => pathsText(report, flags.top, context), flags.output, context);
  if (report.paths.length > 0) context.exit(exitCodes.findings);
  finish(input.diagnostics, context);
}

function pathsText(report: PathReport, top: number, { io }: CommandContext): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const width = Math.min(io.outColumns ?? 80, 110);
  const { target, already, paths, cuts } = report;
  const lines: string[] = [];
  for (const { from, hops } of paths.slice(0, top)) {
    lines.push(bold(`${from} -> ${target}, ${hops.length === 1 ? "1 hop" : `${hops.length} hops`}`));
    for (const [i, hop] of hops.entries()) lines.push(...hopLines(i + 1, hop, width, dim));
    lines.push("");
  }
  if (paths.length > top) lines.push(`and ${paths.length - top} more identities: --top ${paths.length} shows them.`, "");
  if (paths.length === 0) lines.push(`No path to ${target} was found.`);
  if (already.length > 0) lines.push(...wrap(`Already there by their own rights: ${already.join(", ")}.`, width));
  if (cuts.length > 0) {
    lines.push(bold("Removing one binding ends the way of so many:"));
    lines.push(...cuts.map(({ binding, breaks }) => `  ${String(breaks).padStart(4)}  ${binding}`));
  }
  return lines.map((line) => `${line}\n`).join("");
}

function hopLines(number: number, hop: DescribedHop, width: number, dim: (text: string) => string): readonly string[] {
  const indent = "     ";
  const [first = "", ...rest] = wrap(`${hop.says} -> ${hop.to}`, width - indent.length);
  return [
    `${String(number).padStart(3)}. ${first}`,
    ...rest.map((line) => indent + line),
    ...hop.grants.flatMap(({ binding, role, rule }) =>
      wrap(`${binding} -> ${role}: ${rule}`, width - indent.length - 2).map((line) => `${indent}  ${dim(line)}`),
    ),
  ];
}
