import type { ApiResource, ApiSubresource } from "../../core/api-resources.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { ApiError, type KubernetesClient } from "./client.ts";

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** What a server serves, the preferred version of each group first; a group that does not answer is a diagnostic. */
export interface Discovery {
  readonly resources: readonly ApiResource[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Asks a server what it serves: in two requests since Kubernetes 1.30, else group by group. Throws `ApiError`. */
export async function discover(client: KubernetesClient): Promise<Discovery> {
  const resources: ApiResource[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const root of ["/api", "/apis"]) {
    const answer = await client.get(root, aggregated);
    const isAggregated = member(answer, "kind") === "APIGroupDiscoveryList";
    const found = isAggregated ? readAggregated(answer) : await discoverGroups(client, root, answer);
    resources.push(...found.resources);
    diagnostics.push(...found.diagnostics);
  }
  return { resources, diagnostics };
}

/** KEP-3352. */
function readAggregated(answer: JsonValue): Discovery {
  const resources: ApiResource[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const item of objects(member(answer, "items"))) {
    const group = text(member(item["metadata"], "name"));
    for (const served of objects(item["versions"])) {
      const version = text(served["version"]);
      if (served["freshness"] === "Stale") diagnostics.push(undiscovered(group, version, "its server does not answer"));
      for (const resource of objects(served["resources"])) {
        const own = { group, version, kind: "" };
        resources.push({
          ...kindOf(resource["responseKind"], own),
          resource: text(resource["resource"]),
          singular: text(resource["singularResource"]),
          shortNames: strings(resource["shortNames"]),
          categories: strings(resource["categories"]),
          namespaced: resource["scope"] === "Namespaced",
          verbs: strings(resource["verbs"]),
          subresources: objects(resource["subresources"]).map((sub) => ({
            ...kindOf(sub["responseKind"], own),
            name: text(sub["subresource"]),
            verbs: strings(sub["verbs"]),
          })),
        });
      }
    }
  }
  return { resources, diagnostics };
}

async function discoverGroups(client: KubernetesClient, root: string, answer: JsonValue): Promise<Discovery> {
  const resources: ApiResource[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { group, version } of root === "/api" ? coreVersions(answer) : groupVersions(answer)) {
    try {
      const list = await client.get(group === "" ? `/api/${version}` : `/apis/${group}/${version}`);
      resources.push(...readResourceList(list, group, version));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      diagnostics.push(undiscovered(group, version, error.message));
    }
  }
  return { resources, diagnostics };
}

function coreVersions(answer: JsonValue): readonly { readonly group: string; readonly version: string }[] {
  return strings(member(answer, "versions")).map((version) => ({ group: "", version }));
}

function groupVersions(answer: JsonValue): readonly { readonly group: string; readonly version: string }[] {
  return objects(member(answer, "groups")).flatMap((item) => {
    const preferred = text(member(item["preferredVersion"], "version"));
    const versions = objects(item["versions"]).map((version) => text(version["version"]));
    return [preferred, ...versions.filter((version) => version !== preferred)].map((version) => ({
      group: text(item["name"]),
      version,
    }));
  });
}

/** An APIResourceList; subresources stand beside their resources, as `pods/log`. */
function readResourceList(list: JsonValue, group: string, version: string): readonly ApiResource[] {
  const entries = objects(member(list, "resources"));
  return entries
    .filter((entry) => !text(entry["name"]).includes("/"))
    .map((entry) => {
      const resource = text(entry["name"]);
      const subresources = entries
        .filter((sub) => text(sub["name"]).startsWith(`${resource}/`))
        .map((sub): ApiSubresource => {
          const name = text(sub["name"]).slice(resource.length + 1);
          return { ...kindOf(sub, { group, version, kind: "" }), name, verbs: strings(sub["verbs"]) };
        });
      return {
        ...kindOf(entry, { group, version, kind: "" }),
        resource,
        singular: text(entry["singularName"]),
        shortNames: strings(entry["shortNames"]),
        categories: strings(entry["categories"]),
        namespaced: entry["namespaced"] === true,
        verbs: strings(entry["verbs"]),
        subresources,
      };
    });
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A kind that names no group or version is of its list's. */
function kindOf(value: JsonValue | undefined, own: Kind): Kind {
  const version = text(member(value, "version"));
  if (version === "") return { ...own, kind: text(member(value, "kind")) };
  return { group: text(member(value, "group")), version, kind: text(member(value, "kind")) };
}

function undiscovered(group: string, version: string, why: string): Diagnostic {
  const name = group === "" ? version : `${group}/${version}`;
  return {
    code: "CLUSTER_PARTIAL",
    severity: "error",
    message: `the API ${name} could not be discovered, so its objects were not seen: ${why}`,
  };
}

function text(value: JsonValue | undefined): string {
  return asString(value) ?? "";
}

function strings(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return isArray(value) ? value.filter(isObject) : [];
}
