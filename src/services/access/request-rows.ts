import { dueAt } from "../../access/machine/grant.ts";
import { personKey } from "../../access/person.ts";
import type { AccessRequest } from "../../access/request.ts";
import type { AccessRequestRow } from "../../adapters/store/tables.ts";
import { parseExactJson, writeExactJson } from "../../core/exact-json.ts";
import type { JsonObject } from "../../core/json.ts";

/** The row that keeps a request; `changed` is its newest record in the ledger. */
export function rowOf(request: AccessRequest, changed: number): AccessRequestRow {
  return {
    id: request.id,
    cluster: request.cluster,
    type: request.ask.type,
    phase: request.phase,
    requester: personKey(request.requester),
    human: request.requester.human,
    opened: request.opened,
    due: dueAt(request) ?? null,
    glass: request.breakGlass ? (request.reviewed === undefined ? "unreviewed" : "reviewed") : null,
    revision: request.revision,
    changed,
    document: writeExactJson(request as unknown as JsonObject),
  };
}

/** Only `rowOf` writes documents, so their shape is known. */
export function requestOf(row: AccessRequestRow): AccessRequest {
  return parseExactJson(row.document) as unknown as AccessRequest;
}
