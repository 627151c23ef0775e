import type { LedgerRecordRow } from "../adapters/store/tables.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { type CommandContext, placed } from "./command.ts";
import type { Io } from "./io.ts";
import { columns } from "./rbac-table.ts";

const header = ["SEQ", "TIME", "WHO", "DID", "WHAT", "WHERE", "OUTCOME"];

/** Records for people, one a line. */
export function recordsTable(rows: readonly LedgerRecordRow[], io: Io): string {
  if (rows.length === 0) return "no records match\n";
  const cells = rows.map((row) => [
    String(row.seq),
    new Date(row.at).toISOString().replace(".000Z", "Z"),
    row.actor ?? "-",
    row.verb ?? row.kind,
    [row.resource ?? row.kind, row.name].filter((part) => part !== null).join(" "),
    row.namespace ?? "-",
    row.outcome ?? "-",
  ]);
  return columns(header, cells, io);
}

export function writeDiagnostics(diagnostics: readonly Diagnostic[], { io }: CommandContext): void {
  for (const diagnostic of diagnostics) io.err(`${placed(diagnostic)}\n`);
}
