import { requestInfo } from "../../../src/access/classify/request-info.ts";
import { parseRequestTarget } from "../../../src/access/classify/request-target.ts";
import { superUsers } from "../../../src/analysis/rbac/authorize.ts";
import {
  type Authorizer,
  type Impersonation,
  impersonate,
  impersonateLegacy,
  type Requestor,
} from "../../../src/analysis/rbac/impersonation.ts";
import type { HeaderFields } from "../../../src/analysis/rbac/impersonation-headers.ts";
import { ruleAllows } from "../../../src/analysis/rbac/policy-rule.ts";
import type { RequestAttributes } from "../../../src/core/request-attributes.ts";
import { type Corpus, expectJson, failure, type Outcome } from "../corpus.ts";
import { fullRule, jsonFiles, type OracleRule } from "../rbac-oracle.ts";

interface Expected {
  readonly checks: readonly object[];
  readonly effectiveUser: { readonly Name: string; readonly UID: string; readonly Groups: readonly string[] | null } | null;
  readonly message: string;
  readonly status: number;
}

interface ImpersonationCase {
  readonly case: {
    readonly name: string;
    readonly user: string;
    readonly groups: readonly string[];
    readonly extra?: { readonly [key: string]: readonly string[] };
    readonly requestLine: string;
    readonly headers: HeaderFields;
    readonly requestorClusterRules: readonly OracleRule[];
  };
  readonly legacy: Expected;
  readonly constrained: Expected;
}

function attributes(requestor: Requestor, requestLine: string): RequestAttributes | undefined {
  const [method = "", target = ""] = requestLine.split(" ");
  const parsed = parseRequestTarget(target);
  if (!parsed.ok) return undefined;
  const { verb, isResourceRequest, path, namespace, apiGroup, resource, subresource, name } = requestInfo(method, parsed.value);
  const { user, groups } = requestor;
  return { user, groups, verb, isResourceRequest, path, namespace, apiGroup, resource, subresource, name };
}

/** The requestor's cluster-wide rules alone decide; every check is written down. */
function recordingAuthorizer(rules: readonly OracleRule[], checks: object[]): Authorizer {
  return (request) => {
    const { apiGroup, name, namespace, resource, subresource, verb } = request;
    const isSuperUser = request.groups.includes(superUsers);
    const allowed = isSuperUser || rules.some((rule) => ruleAllows(fullRule(rule), request));
    const decision = allowed ? "allow" : "no-opinion";
    checks.push(isSuperUser ? { shortcut: superUsers } : { apiGroup, decision, name, namespace, resource, subresource, verb });
    return { allowed, reason: "" };
  };
}

function answer(result: Impersonation): object {
  const user = result.kind === "allowed" ? { Name: result.user.user, UID: result.user.uid, Groups: result.user.groups } : null;
  return {
    user,
    status: result.kind === "refused" ? result.status : 200,
    message: result.kind === "refused" ? result.message : "",
  };
}

function judge(row: ImpersonationCase, mode: "legacy" | "constrained"): Outcome {
  const { user, groups, extra = {}, headers, requestLine, requestorClusterRules } = row.case;
  const requestor = { user, groups, extra };
  const on = attributes(requestor, requestLine);
  if (on === undefined) return failure(`cannot read ${requestLine}`);
  const checks: object[] = [];
  const authorizer = recordingAuthorizer(requestorClusterRules, checks);
  const result =
    mode === "legacy" ? impersonateLegacy(headers, requestor, authorizer) : impersonate(headers, requestor, on, authorizer);
  const want = row[mode];
  const effective = want.effectiveUser;
  // Without impersonation the request goes on as the requestor, which the oracle tells as the effective user.
  const wantUser =
    effective === null || result.kind === "none"
      ? null
      : { Name: effective.Name, UID: effective.UID, Groups: effective.Groups ?? [] };
  return expectJson(
    { ...answer(result), checks },
    { user: wantUser, status: want.status, message: want.message, checks: want.checks },
  );
}

/** Impersonation as the real filters decide it, before 1.36 and constrained. */
export const corpus: Corpus = {
  name: "impersonation",
  folder: "rbac/oracle/impersonation",
  async *cases(directory) {
    for (const { id, value } of await jsonFiles<ImpersonationCase>(directory)) {
      for (const mode of ["legacy", "constrained"] as const) {
        yield { id: `${id} ${value.case.name} ${mode}`, run: () => judge(value, mode) };
      }
    }
  },
};
