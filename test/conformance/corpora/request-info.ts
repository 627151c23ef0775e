import { type RequestInfo, requestInfo } from "../../../src/access/classify/request-info.ts";
import { parseRequestTarget } from "../../../src/access/classify/request-target.ts";
import { type Corpus, expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { jsonFiles } from "../rbac-oracle.ts";

interface RequestLineCase {
  readonly requestLine: string;
  readonly parseError?: string;
  readonly requestInfo?: object;
  readonly requestInfoError?: string;
}

/** In the field names of Go's RequestInfo. */
function asGo(info: RequestInfo): object {
  return {
    IsResourceRequest: info.isResourceRequest,
    Path: info.path,
    Verb: info.verb,
    APIPrefix: info.apiPrefix,
    APIGroup: info.apiGroup,
    APIVersion: info.apiVersion,
    Namespace: info.namespace,
    Resource: info.resource,
    Subresource: info.subresource,
    Name: info.name,
    Parts: info.parts ?? null,
    FieldSelector: info.fieldSelector,
    LabelSelector: info.labelSelector,
  };
}

function judge(row: RequestLineCase): Outcome {
  const [method = "", target = "", ...rest] = row.requestLine.split(" ");
  const parsed = rest.length > 0 ? { ok: false as const, message: "malformed HTTP version" } : parseRequestTarget(target);
  if (row.parseError !== undefined) return parsed.ok ? failure(`read, but the server answers ${row.parseError}`) : passed;
  if (!parsed.ok) return failure(parsed.message);
  const info = requestInfo(method, parsed.value);
  return expectJson({ info: asGo(info), error: info.error ?? "" }, { info: row.requestInfo, error: row.requestInfoError ?? "" });
}

/** Raw request lines and what kube-apiserver makes of them. */
export const corpus: Corpus = {
  name: "request-info",
  folder: "rbac/oracle/request-info",
  async *cases(directory) {
    for (const { id, value } of await jsonFiles<{ readonly cases: readonly RequestLineCase[] }>(directory)) {
      for (const [i, row] of value.cases.entries()) yield { id: `${id}#${i} ${row.requestLine}`, run: () => judge(row) };
    }
  },
};
