import type { Kysely } from "kysely";
import { type LedgerFilter, queryLedger } from "../../adapters/store/ledger-reading.ts";
import type { LedgerRecordRow, Tables } from "../../adapters/store/tables.ts";
import type { Action, Operation } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import { parseExactJson } from "../../core/exact-json.ts";
import type { Instant } from "../../core/host.ts";
import { asString, isArray, type JsonValue, member } from "../../core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { objectKey } from "./preview.ts";

/** What a policy said at an admission, as the server recorded it. */
export interface RecordedVerdict {
  readonly status: "fail" | "error";
  readonly policy: string;
  readonly rule: string;
  readonly namespace: string;
  readonly user: string;
  readonly kind: string;
  readonly name: string;
  readonly message: string;
  readonly at: Instant;
}

/** What the ledger knows of the past that policies can be tried on. */
export interface StoredHistory {
  /** Requests of which the object was recorded (audit events at level RequestResponse), oldest first. */
  readonly actions: readonly Action[];
  readonly verdicts: readonly RecordedVerdict[];
  /** Who changed an object last. */
  readonly lastActors: ReadonlyMap<string, string>;
  /** Requests that wrote an object which the ledger does not have. */
  readonly withoutObject: number;
}

export const noHistory: StoredHistory = { actions: [], verdicts: [], lastActors: new Map(), withoutObject: 0 };

const pageSize = 1000;
/** More would be held in memory at once than a preview is worth; the newest count. */
const maximumActions = 50_000;
const operations: { readonly [verb: string]: Operation } = { create: "CREATE", update: "UPDATE", patch: "UPDATE" };

export interface HistoryRequest {
  readonly since: Instant;
  /** Undefined: of every cluster. */
  readonly cluster: string | undefined;
  readonly resources: ApiResources;
}

/** Reads the requests and verdicts of the last days, newest first, up to a bound. */
export async function readHistory(db: Kysely<Tables>, request: HistoryRequest): Promise<StoredHistory> {
  const actions: Action[] = [];
  const verdicts: RecordedVerdict[] = [];
  const lastActors = new Map<string, string>();
  let withoutObject = 0;
  const filter: LedgerFilter = {
    kinds: ["audit.event", "admission.decision"],
    verbs: Object.keys(operations),
    since: request.since,
    clusters: request.cluster === undefined ? undefined : [request.cluster],
  };
  for (let before: number | undefined; actions.length < maximumActions; ) {
    const rows = await queryLedger(db, filter, { limit: pageSize, before });
    for (const row of rows) {
      if (row.kind === "admission.decision") {
        verdicts.push(...verdictsOf(row, request.resources));
        continue;
      }
      const read = actionOf(row, request.resources);
      if (read === "not-asked") continue;
      if (read === "no-object") withoutObject++;
      else {
        actions.push(read);
        const key = read.object === undefined ? "" : objectKey(read.object);
        if (!lastActors.has(key) && row.actor !== null) lastActors.set(key, row.actor);
      }
    }
    before = rows.at(-1)?.seq;
    if (rows.length < pageSize) break;
  }
  return { actions: actions.reverse(), verdicts, lastActors, withoutObject };
}

/** What was refused then stops nobody anew. */
function verdictsOf(row: LedgerRecordRow, resources: ApiResources): readonly RecordedVerdict[] {
  if (row.outcome === "allow" || row.outcome === "deny") return [];
  const results = member(member(parseExactJson(row.body), "data"), "results");
  if (!isArray(results)) return [];
  return results.flatMap((result): RecordedVerdict[] => {
    const text = (key: string) => asString(member(result, key)) ?? "";
    const status = text("status");
    if (status !== "fail" && status !== "error") return [];
    return [
      {
        status,
        policy: text("policy"),
        rule: text("rule"),
        message: text("message"),
        namespace: row.namespace ?? "",
        user: row.actor ?? "",
        kind: resources.byResource(row.api_group ?? "", row.resource ?? "")?.kind ?? row.resource ?? "",
        name: row.name ?? "",
        at: row.at,
      },
    ];
  });
}

/** An audit event as the request that an admission webhook would have seen: the object after the API server's defaults. */
function actionOf(row: LedgerRecordRow, resources: ApiResources): Action | "not-asked" | "no-object" {
  const [resource = "", subresource = ""] = (row.resource ?? "").split("/");
  const operation = operations[row.verb ?? ""];
  const data = member(parseExactJson(row.body), "data");
  const isDone = row.outcome?.startsWith("2") === true && asString(member(data, "stage")) === "ResponseComplete";
  const isDryRun = (asString(member(data, "requestURI")) ?? "").includes("dryRun=");
  // Policies speak of objects; what controllers write into a status is none of their business.
  if (operation === undefined || !isDone || isDryRun || subresource !== "") return "not-asked";
  const object =
    objectOf(member(data, "responseObject"), row, resources) ?? objectOf(member(data, "requestObject"), row, resources);
  // Of a Secret the ledger keeps the outline, which is not what was asked for.
  if (object === undefined || resource === "secrets") return "no-object";
  const user = member(data, "impersonatedUser") ?? member(data, "user");
  const groups = member(user, "groups");
  return {
    channel: "admission",
    actor: {
      user: row.actor ?? "",
      groups: isArray(groups) ? groups.flatMap((group) => asString(group) ?? []) : [],
    },
    operation,
    dryRun: true,
    target: { type: "kubernetes", ...gvkOf(object), resource, subresource, namespace: namespaceOf(object), name: nameOf(object) },
    object,
    at: row.at,
  };
}

/** A whole object of the resource that was asked for: a patch is none, nor is a refusal. */
function objectOf(value: JsonValue | undefined, row: LedgerRecordRow, resources: ApiResources): KubernetesObject | undefined {
  if (!isKubernetesObject(value)) return undefined;
  const { group, kind } = gvkOf(value);
  const [resource = ""] = (row.resource ?? "").split("/");
  const expected = resources.byResource(row.api_group ?? "", resource)?.kind;
  if (group !== (row.api_group ?? "") || (expected !== undefined && kind !== expected)) return undefined;
  const metadata = { ...value.metadata, ...(row.namespace === null ? {} : { namespace: row.namespace }) };
  return { ...value, metadata: nameOf(value) === "" && row.name !== null ? { ...metadata, name: row.name } : metadata };
}
