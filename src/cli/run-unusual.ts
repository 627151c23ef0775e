import { UnusualUseReader } from "../services/audit/unusual-use.ts";
import type { CommandContext } from "./command.ts";
import { columns } from "./rbac-table.ts";
import { instantOf, reading, type StoreFlags } from "./run-audit.ts";

export interface UnusualFlags extends StoreFlags {
  readonly since: string;
  readonly learn: string;
  readonly bulk: number;
  readonly output: "table" | "json";
}

export async function runUnusual(flags: UnusualFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const now = io.now();
  const options = { learn: now - instantOf(flags.learn, now), bulkSecrets: flags.bulk };
  await reading(flags, context, async (db) => {
    const reader = new UnusualUseReader(db, options, instantOf(flags.since, now));
    await reader.read();
    const { known, learning } = reader.subjects(now);
    if (flags.output === "json") {
      const items = reader.found.map(({ at, cluster, finding }) => ({ at: new Date(at).toISOString(), cluster, ...finding }));
      io.out(`${JSON.stringify({ subjects: known, learning, items }, null, 2)}\n`);
      return;
    }
    const rows = reader.found.map(({ at, finding: { severity, check, message, evidence } }) => [
      new Date(at).toISOString().replace(".000Z", "Z"),
      severity,
      check.title ?? check.policy,
      String(evidence?.["record"]),
      message,
    ]);
    io.out(rows.length === 0 ? "nothing unusual\n" : columns(["TIME", "SEVERITY", "WHAT", "RECORD", "MESSAGE"], rows, io));
    io.err(`${known} subjects; ${learning} of them are known for less than ${flags.learn} and were not judged by their habits\n`);
  });
}
