import type { LedgerRecordRow } from "../../adapters/store/tables.ts";
import { asString, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";

/** `jsonl`: the canonical texts as the tree holds them, verifiable; `ocsf`: API Activity of OCSF 1.8; `otlp`: OTLP/JSON logs. */
export const exportFormats = ["jsonl", "ocsf", "otlp"] as const;
export type ExportFormat = (typeof exportFormats)[number];

const writers: { readonly [format in ExportFormat]: (row: LedgerRecordRow) => string } = {
  jsonl: (row) => `{"seq":${row.seq},"leaf":"${Buffer.from(row.leaf).toString("hex")}","record":${row.body}}`,
  ocsf: (row) => JSON.stringify(ocsf(row)),
  otlp: (row) => JSON.stringify(otlp(row)),
};

/** One line for one record, without the line's end. */
export function exportLine(row: LedgerRecordRow, format: ExportFormat): string {
  return writers[format](row);
}

/** Activities of OCSF's API Activity class (6003). */
const activities: { readonly [verb: string]: number } = {
  create: 1,
  get: 2,
  list: 2,
  watch: 2,
  update: 3,
  patch: 3,
  delete: 4,
  deletecollection: 4,
};

function isFailure(outcome: string | null): boolean {
  return outcome !== null && (/^[45]/.test(outcome) || outcome === "deny" || outcome === "fail" || outcome === "error");
}

function ocsf(row: LedgerRecordRow): JsonObject {
  const data = dataOf(row);
  const activity = activities[row.verb ?? ""] ?? 99;
  const failed = isFailure(row.outcome);
  const address = member(data, "sourceIPs");
  return {
    class_uid: 6003,
    class_name: "API Activity",
    category_uid: 6,
    category_name: "Application Activity",
    activity_id: activity,
    type_uid: 600300 + activity,
    time: row.at,
    severity_id: failed ? 3 : 1,
    status_id: row.outcome === null ? 0 : failed ? 2 : 1,
    ...(row.outcome === null ? {} : { status_code: row.outcome }),
    metadata: {
      version: "1.8.0",
      uid: row.key ?? `${row.cluster}/${row.seq}`,
      logged_time: row.recorded,
      log_name: row.kind,
      product: { name: "Castellan", vendor_name: "Castellan" },
    },
    actor: { user: { name: row.actor ?? "unknown" } },
    api: { operation: row.verb ?? row.kind, ...(row.api_group ? { group: { name: row.api_group } } : {}) },
    src_endpoint: { ip: Array.isArray(address) ? asString(address[0]) : undefined },
    resources:
      row.resource === null
        ? undefined
        : [
            {
              type: row.resource,
              name: row.name ?? undefined,
              namespace: row.namespace ?? undefined,
              group: { name: row.api_group ?? "" },
            },
          ],
    unmapped: { cluster: row.cluster, seq: row.seq },
  };
}

/** A line is one `ExportLogsServiceRequest`, as collectors read them from files. */
function otlp(row: LedgerRecordRow): JsonObject {
  const attributes = (
    ["kind", "cluster", "actor", "verb", "api_group", "resource", "namespace", "name", "outcome"] as const
  ).flatMap((name) => {
    const value = row[name];
    return value === null || value === "" ? [] : [attribute(`castellan.${name}`, value)];
  });
  const log: JsonObject = {
    timeUnixNano: `${row.at}000000`,
    observedTimeUnixNano: `${row.recorded}000000`,
    severityNumber: isFailure(row.outcome) ? 13 : 9,
    severityText: isFailure(row.outcome) ? "WARN" : "INFO",
    body: { stringValue: row.body },
    attributes: [...attributes, { key: "castellan.seq", value: { intValue: String(row.seq) } }],
  };
  const scope: JsonObject = { scope: { name: "castellan.ledger" }, logRecords: [log] };
  return { resourceLogs: [{ resource: { attributes: [attribute("service.name", "castellan")] }, scopeLogs: [scope] }] };
}

const attribute = (key: string, value: string): JsonObject => ({ key, value: { stringValue: value } });

function dataOf(row: LedgerRecordRow): JsonValue | undefined {
  const body: JsonValue = JSON.parse(row.body);
  return isObject(body) ? body["data"] : undefined;
}
