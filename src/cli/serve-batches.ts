import { type Ledger, LedgerBusy } from "../adapters/store/ledger.ts";
import { otlpLines } from "../analysis/network/flows/otlp.ts";
import { isArray } from "../core/json.ts";
import {
  BadBatch,
  type Batch,
  type BatchAnswer,
  type BatchHandler,
  jsonBatch,
  jsonOf,
  TooBusy,
} from "../server/webhook/batches.ts";
import { ingestEvents } from "../services/audit/ingest.ts";

export interface BatchParts {
  readonly ledger: Pick<Ledger, "append">;
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
    ["/v1/logs", async (batch) => (protobufTypes.has(batch.type) ? takeProtobuf(batch, flows) : takeJson(batch, flows))],
  ]);
}

type TakeFlows = BatchParts["flows"];

/** What collectors send unless told otherwise, and the name that others have for it. */
const protobufTypes: ReadonlySet<string> = new Set(["application/x-protobuf", "application/protobuf"]);

async function takeProtobuf({ body, type, cluster }: Batch, flows: TakeFlows): Promise<BatchAnswer> {
  const { allTaken, protobufLogLines, refusedStatus } = await import("../services/otlp-logs.ts");
  try {
    flows(cluster, linesOr(protobufLogLines(body), "protobuf"));
  } catch (error) {
    if (error instanceof BadBatch) throw new BadBatch(error.message, { type, body: refusedStatus(error.message) });
    throw error;
  }
  return { type, body: allTaken };
}

async function takeJson({ body, cluster }: Batch, flows: TakeFlows): Promise<BatchAnswer> {
  flows(cluster, linesOr(otlpLines(jsonOf(body)), "JSON"));
  return { type: "application/json", body: "{}" };
}

function linesOr(lines: readonly string[] | undefined, encoding: string): readonly string[] {
  if (lines === undefined) throw new BadBatch(`the body is no OTLP request for logs in ${encoding}`);
  return lines;
}

function asBusy(error: unknown): never {
  throw error instanceof LedgerBusy ? new TooBusy(error.message) : error;
}
