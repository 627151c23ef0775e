import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type GeneratedRbac, type GenerateOptions, generateRbac, subjectOf } from "../../../src/analysis/rbac/learn/generate.ts";
import { AuditLearner } from "../../../src/analysis/rbac/learn/observed.ts";
import { bindingManifest, roleManifest } from "../../../src/analysis/rbac/manifests.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { RequestAttributes } from "../../../src/core/request-attributes.ts";
import { type Corpus, expectJson, type Outcome } from "../corpus.ts";
import { indexOf, jsonFiles } from "../rbac-oracle.ts";

interface Expansions {
  readonly expandMultipleNamesToUnnamed: boolean;
  readonly expandMultipleNamespacesToClusterScoped: boolean;
}

interface List {
  readonly items: readonly JsonObject[];
}

interface ProcessCase {
  readonly name: string;
  readonly existing: List;
  readonly options: Expansions & {
    readonly name: string;
    readonly verbExpansions: { readonly [verb: string]: readonly string[] };
  };
  readonly requests: readonly (Omit<RequestAttributes, "isResourceRequest"> & { readonly resourceRequest: boolean })[];
  readonly expected: List;
}

interface LogCase extends Expansions {
  readonly log: string;
  readonly user: string;
  readonly expected: List;
}

const usualExpansions = { list: ["get", "watch"], patch: ["get", "update"], update: ["get", "patch"], watch: ["get", "list"] };

/** The tool knows the role that everybody has. */
const discovery = JSON.stringify({
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "system:discovery" },
      rules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/version", "/swagger*", "/api*"] }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "system:discovery" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:discovery" },
      subjects: ["system:authenticated", "system:unauthenticated"].map((name) => ({ kind: "Group", name })),
    },
  ],
});

function optionsOf(expansions: Expansions, name: string, verbs: { readonly [verb: string]: readonly string[] }): GenerateOptions {
  return {
    name,
    verbExpansions: new Map(Object.entries(verbs)),
    maximumNames: expansions.expandMultipleNamesToUnnamed ? 1 : Number.POSITIVE_INFINITY,
    maximumNamespaces: expansions.expandMultipleNamespacesToClusterScoped ? 1 : Number.POSITIVE_INFINITY,
    isNameStable: () => true,
  };
}

/** In the tool's order: cluster-wide first, roles before bindings. */
function compare({ roles, bindings }: GeneratedRbac, expected: List): Outcome {
  const objects = [...roles.map(roleManifest), ...bindings.map(bindingManifest)];
  const byKind = (items: readonly JsonObject[]) => [...items].map((item) => JSON.stringify(sortKeys(item))).sort();
  return expectJson(byKind(objects), byKind(expected.items));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sortKeys(v)]),
  );
}

function judgeProcess({ existing, options, requests, expected }: ProcessCase): Outcome {
  const asked = requests.map(({ resourceRequest, ...request }) => ({ ...request, isResourceRequest: resourceRequest }));
  const [first] = asked;
  if (first === undefined) return expectJson([], expected.items);
  const made = generateRbac(
    indexOf(JSON.stringify(existing)),
    asked,
    subjectOf(first.user),
    optionsOf(options, options.name, options.verbExpansions),
  );
  return compare(made, expected);
}

async function judgeLog(directory: string, { log, user, expected, ...expansions }: LogCase): Promise<Outcome> {
  const learner = new AuditLearner();
  for (const line of (await readFile(join(directory, "..", "..", log), "utf8")).split("\n"))
    if (line !== "") learner.add(JSON.parse(line));
  const requests = learner.requestsOf(user).map((o) => o.request);
  return compare(
    generateRbac(indexOf(discovery), requests, subjectOf(user), optionsOf(expansions, "audit2rbac", usualExpansions)),
    expected,
  );
}

/** Roles that liggitt/audit2rbac makes of requests and of audit logs. */
export const corpus: Corpus = {
  name: "audit2rbac",
  folder: "rbac/oracle/audit2rbac",
  async *cases(directory) {
    for (const { id, value } of await jsonFiles<ProcessCase>(join(directory, "process"))) {
      yield { id: `process/${id} ${value.name}`, run: () => judgeProcess(value) };
    }
    for (const { id, value } of await jsonFiles<LogCase>(join(directory, "logs"))) {
      yield { id: `logs/${id}`, run: () => judgeLog(directory, value) };
    }
  },
};
