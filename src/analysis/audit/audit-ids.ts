import type { ApiUse } from "./use.ts";

/** So many requests are remembered, the latest. */
const remembered = 50_000;

/** Finds requests under the audit ID of another one: clients choose it, and programs that join logs by it take one for the other. */
export class AuditIds {
  readonly #first = new Map<string, Pick<ApiUse, "seq" | "request">>();

  /** The record of another request that had this one's audit ID; undefined where there is none. */
  take({ cluster, auditId, request, seq }: ApiUse): number | undefined {
    if (auditId === "") return undefined;
    const key = `${cluster}/${auditId}`;
    const first = this.#first.get(key);
    // Its other stages, and an aggregated API server that tells of the request it was passed.
    if (first !== undefined) return first.request === request ? undefined : first.seq;
    this.#first.set(key, { seq, request });
    if (this.#first.size > remembered) {
      const [oldest = ""] = this.#first.keys();
      this.#first.delete(oldest);
    }
    return undefined;
  }
}
