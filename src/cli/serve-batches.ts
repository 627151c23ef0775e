import { type Ledger, LedgerBusy } from "../adapters/store/ledger.ts";
import { otlpLines } from "../analysis/network/flows/otlp.ts";
import { isArray } from "../core/json.ts";
import { BadBatch, type BatchHandler, jsonBatch, TooBusy } from "../server/webhook/batches.ts";
import { ingestEvents } from "../services/audit/ingest.ts";

export interface BatchParts {
  readonly ledger: Ledger;
  /** Takes lines of a flow log of a cluster. Throws `BadBatch` where there is no such cluster. */
  readonly flows: (cluster: string, lines: readonly string[]) => void;
  readonly trouble: (error: unknown) => void;
}

/** What takes audit events and flows, by path. */
export function batchHandlers({ ledger, flows, trouble }: BatchParts): ReadonlyMap<string, BatchHandler> {
  return new Map([
    [
      "/audit",
      jsonBatch(async (events, from) => {
        const all = isArray(events) ? events : [events];
        const { recorded, repeated, refused, reason } = await ingestEvents(ledger, all, from).catch(asBusy);
        if (refused === 0) return;
        const text = `${refused} values of an audit batch of ${from} are no events: ${reason}`;
        // Of a mixed batch the rest is kept: sent again it would be refused again, and in the end be lost as a whole.
        if (recorded + repeated === 0) throw new BadBatch(text);
        trouble(new Error(text));
      }),
    ],
    ["/flows", async ({ body, cluster }) => flows(cluster, body.toString("utf8").split("\n"))],
    [
      "/v1/logs",
      jsonBatch(async (request, from) => {
        const lines = otlpLines(request);
        if (lines === undefined) throw new BadBatch("the body is no OTLP request for logs in JSON");
        flows(from, lines);
      }),
    ],
  ]);
}

function asBusy(error: unknown): never {
  throw error instanceof LedgerBusy ? new TooBusy(error.message) : error;
}
