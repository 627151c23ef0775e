import { hash } from "node:crypto";
import type { Kysely } from "kysely";
import { queryLedger } from "../../adapters/store/ledger-reading.ts";
import type { LedgerRecordRow, Tables } from "../../adapters/store/tables.ts";
import { type UnusualOptions, type UnusualUse, UnusualUseFinder } from "../../analysis/audit/unusual.ts";
import type { ApiUse } from "../../analysis/audit/use.ts";
import type { Finding } from "../../core/finding.ts";
import type { Instant } from "../../core/host.ts";
import { asString, type JsonValue, member } from "../../core/json.ts";

const day = 86_400_000;
export const usualLearning: UnusualOptions = { learn: 30 * day, bulkSecrets: 10 };
const pageSize = 1000;
/** Longer than any that Kubernetes or a gateway makes. */
const longestAuditId = 64;

const digest = (text: string): string => hash("sha256", text, "base64url");

/** The use that an audit record tells of; undefined where nobody did it or the answer is not known yet. */
function useOf(row: LedgerRecordRow): ApiUse | undefined {
  if (row.actor === null || row.verb === null || row.outcome === null) return undefined;
  const body: JsonValue = JSON.parse(row.body);
  const data = member(body, "data");
  const auditId = asString(member(data, "auditID")) ?? "";
  return {
    seq: row.seq,
    at: row.at,
    cluster: row.cluster,
    actor: row.actor,
    verb: row.verb,
    group: row.api_group ?? "",
    resource: row.resource ?? "",
    namespace: row.namespace ?? "",
    name: row.name ?? "",
    outcome: row.outcome,
    userAgent: asString(member(data, "userAgent")) ?? "",
    // Clients choose how long both are, and many are remembered.
    auditId: auditId.length <= longestAuditId ? auditId : digest(auditId),
    request: digest(JSON.stringify([row.actor, row.verb, asString(member(data, "requestURI")) ?? ""])),
  };
}

/** Reads the ledger's audit events once, as they come, and keeps what is unusual among those of the last days. */
export class UnusualUseReader {
  readonly #db: Kysely<Tables>;
  readonly #finder: UnusualUseFinder;
  readonly #since: Instant;
  readonly #found = new Map<string, UnusualUse>();
  #keepFrom: Instant;
  #next = 0;

  /** Findings are kept from `since` on; records are learned from as long before it as `options` say. */
  constructor(db: Kysely<Tables>, options: UnusualOptions, since: Instant) {
    this.#db = db;
    this.#finder = new UnusualUseFinder(options);
    this.#since = since - options.learn - day;
    this.#keepFrom = since;
  }

  subjects(now: Instant): { readonly known: number; readonly learning: number } {
    return this.#finder.subjects(now);
  }

  /** Forgets what was found before `since`. */
  keepFrom(since: Instant): void {
    this.#keepFrom = since;
    for (const [id, { at }] of this.#found) if (at < since) this.#found.delete(id);
  }

  /** Newest first. */
  get found(): readonly UnusualUse[] {
    return [...this.#found.values()].sort((a, b) => b.at - a.at);
  }

  /** By the cluster in which it was. */
  findings(): ReadonlyMap<string, readonly Finding[]> {
    const found = Map.groupBy(this.#found.values(), ({ cluster }) => cluster);
    return new Map([...found].map(([cluster, uses]) => [cluster, uses.map(({ finding }) => finding)]));
  }

  /** Reads what is new; answers what is unusual in it. */
  async read(): Promise<readonly UnusualUse[]> {
    const news: UnusualUse[] = [];
    for (;;) {
      const filter = { kinds: ["audit.event"], since: this.#since };
      const rows = await queryLedger(this.#db, filter, { limit: pageSize, from: this.#next });
      for (const row of rows) {
        const use = useOf(row);
        if (use === undefined) continue;
        for (const unusual of this.#finder.take(use)) {
          if (unusual.at < this.#keepFrom) continue;
          news.push(unusual);
          this.#found.set(`${unusual.cluster}/${unusual.finding.id}`, unusual);
        }
      }
      const last = rows.at(-1);
      if (last === undefined) return news;
      this.#next = last.seq + 1;
    }
  }
}
