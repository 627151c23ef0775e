import type { Kysely } from "kysely";
import { queryLedger } from "../../adapters/store/ledger-reading.ts";
import type { LedgerRecordRow, Tables } from "../../adapters/store/tables.ts";
import type { Instant } from "../../core/host.ts";
import { asString, isArray, type JsonValue, member } from "../../core/json.ts";
import type { Drift } from "./find-drift.ts";

/** The newest change of an object that the ledger knows. */
export interface LastChange {
  readonly actor: string;
  readonly verb: string;
  readonly at: Instant;
}

/** Of so many records of one object one is more than a dry run. */
const looked = 50;

/**
 * Who changed the object of a drift last; undefined where the ledger does not know.
 * @param clusters as the ledger names the cluster that the drift was found in: another one has objects of the same name
 */
export async function lastChange(
  db: Kysely<Tables>,
  clusters: readonly string[],
  { type, resource: { group, namespace, name }, served }: Drift,
): Promise<LastChange | undefined> {
  // What is live was not deleted last; what is gone may have gone with others of its kind.
  const named = { names: [name], verbs: ["create", "update", "patch", ...(type === "missing" ? ["delete"] : [])] };
  const filter = {
    clusters,
    kinds: ["audit.event", "admission.decision"],
    groups: [group],
    resources: [served.resource],
    ...(namespace === "" ? {} : { namespaces: [namespace] }),
    outcomes: ["2*", "allow", "audit", "warn"],
    anyOf: type === "missing" ? [named, { verbs: ["deletecollection"] }] : [named],
  };
  const rows = await queryLedger(db, filter, { limit: looked });
  const row = rows.find((one) => !isDryRun(one));
  return row === undefined ? undefined : { actor: row.actor ?? "", verb: row.verb ?? "", at: row.at };
}

/** Comparing asks the server for dry runs, which are in its audit log as well. */
function isDryRun({ body }: LedgerRecordRow): boolean {
  const data: JsonValue | undefined = member(JSON.parse(body), "data");
  const options = member(member(data, "requestObject"), "dryRun");
  return /[?&]dryRun=/.test(asString(member(data, "requestURI")) ?? "") || (isArray(options) && options.length > 0);
}

/** The names of all clusters that the ledger has records of. */
export async function ledgerClusters(db: Kysely<Tables>): Promise<readonly string[]> {
  const rows = await db.selectFrom("ledger_records").select("cluster").distinct().orderBy("cluster").execute();
  return rows.map(({ cluster }) => cluster);
}
