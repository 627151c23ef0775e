import type { RequestedAction } from "../requested-action.ts";
import type { RequestInfo } from "./request-info.ts";
import { parseQuery } from "./request-target.ts";

const sessions: ReadonlySet<string> = new Set(["exec", "attach", "portforward"]);

/**
 * What rules, grants and records take for the verb. The API server's proxies and sessions in pods run what is behind them, whatever the
 * HTTP method: no rule about `get` may cover them.
 */
function actionVerb({ isResourceRequest, verb, apiGroup, resource, subresource }: RequestInfo): string {
  if (!isResourceRequest) return verb;
  if (subresource === "proxy") return "proxy";
  return apiGroup === "" && resource === "pods" && sessions.has(subresource) ? "create" : verb;
}

/** Whether nothing will be stored. Of a deletion with a body the API server reads the options there, and not those of the query. */
export function isDryRun(method: string, rawQuery: string, hasBody: boolean): boolean {
  if (!rawQuery.includes("dryRun") || (method === "DELETE" && hasBody)) return false;
  const values = parseQuery(rawQuery).get("dryRun") ?? [];
  return values.length > 0 && values.every((value) => value === "All");
}

/** What is known of a call beside its request line. */
export type CallContext = Pick<RequestedAction, "cluster" | "dryRun" | "http" | "namespaceLabels" | "at">;

/** A call as rules, grants and records know it. */
export function requestedAction(info: RequestInfo, context: CallContext): RequestedAction {
  const { isResourceRequest, path, apiGroup, apiVersion, resource, subresource, namespace, name } = info;
  return {
    ...context,
    verb: actionVerb(info),
    isResourceRequest,
    path,
    apiGroup,
    apiVersion,
    resource,
    subresource,
    namespace,
    name,
  };
}
