import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
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

/** Keeps the events of audit logs or webhook batches; resolves once they are durable. Rejects as `Ledger.append` does. */
export async function ingestEvents(ledger: Ledger, values: readonly JsonValue[], cluster: string): Promise<Ingested> {
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
