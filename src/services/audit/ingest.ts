import { readAuditLogs } from "../../adapters/files/audit-log.ts";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { JsonValue } from "../../core/json.ts";
import { eventRecord, eventsOf } from "./event-record.ts";

export interface Ingested {
  /** Events that are in the ledger now and were not before. */
  readonly recorded: number;
  /** Events that were there already. */
  readonly repeated: number;
  /** Values that are no audit events, with the reason of the first. */
  readonly refused: number;
  readonly reason?: string | undefined;
}

/** Log lines that go into one transaction. */
const linesAtOnce = 1000;

/** Keeps the events of log files, folders of them and standard input (`-`); what could not be read is among the diagnostics. */
export async function ingestLogs(
  ledger: Ledger,
  paths: readonly string[],
  cluster: string,
): Promise<Ingested & { readonly diagnostics: readonly Diagnostic[] }> {
  let sum: Ingested = { recorded: 0, repeated: 0, refused: 0 };
  const pending: JsonValue[] = [];
  const flush = async () => {
    const { recorded, repeated, refused, reason } = await ingestEvents(ledger, pending.splice(0), cluster);
    sum = {
      recorded: sum.recorded + recorded,
      repeated: sum.repeated + repeated,
      refused: sum.refused + refused,
      reason: sum.reason ?? reason,
    };
  };
  const diagnostics = await readAuditLogs(paths, (event) => {
    pending.push(event);
    return pending.length < linesAtOnce ? undefined : flush();
  });
  await flush();
  return { ...sum, diagnostics };
}

/** Keeps the events of audit logs or webhook batches; resolves once they are durable. Rejects as `Ledger.append` does. */
export async function ingestEvents(
  ledger: Pick<Ledger, "append">,
  values: readonly JsonValue[],
  cluster: string,
): Promise<Ingested> {
  const records: NewRecord[] = [];
  let refused = 0;
  let reason: string | undefined;
  for (const event of values.flatMap(eventsOf)) {
    const reading = eventRecord(event, cluster);
    if (reading.ok) records.push(reading.record);
    else {
      refused++;
      reason ??= reading.reason;
    }
  }
  const receipts = await ledger.append(records);
  const recorded = receipts.filter((receipt) => receipt !== undefined).length;
  return { recorded, repeated: records.length - recorded, refused, reason };
}
