/**
 * Writes catalog/kubernetes/v<minor>.json from a checkout of kubernetes/kubernetes; run by hand once per minor:
 *
 *     node scripts/kubernetes-schema.ts <path of kubernetes/kubernetes> 1.36
 *
 * It reads api/openapi-spec/v3 (shapes), api/discovery (resources, verbs), pkg/generated/openapi
 * (enumerations, which the published documents leave out) and, of the staging modules, when each version was deprecated
 * and removed. A copy of the Go module serves as a checkout; its staging modules then stand beside it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

type Json = { [key: string]: unknown };
type Schema = Json & { properties?: Record<string, Schema>; items?: Schema; additionalProperties?: Schema };

interface DiscoveryResource {
  name: string;
  singularName: string;
  kind: string;
  group?: string;
  version?: string;
  namespaced: boolean;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
}

const [root, minor] = process.argv.slice(2);
if (root === undefined || minor === undefined) {
  console.error("usage: node scripts/kubernetes-schema.ts <kubernetes checkout> <minor, as 1.36>");
  process.exit(3);
}

const json = (path: string): Json => JSON.parse(readFileSync(path, "utf8"));

/** Every definition of every group version; list, watch and option wrappers fall away later as unreachable. */
function readDefinitions(directory: string): Map<string, Schema> {
  const found = new Map<string, Schema>();
  for (const file of readdirSync(directory).sort()) {
    const schemas = (json(join(directory, file))["components"] as Json | undefined)?.["schemas"] as
      | Record<string, Schema>
      | undefined;
    for (const [name, schema] of Object.entries(schemas ?? {})) found.set(name, schema);
  }
  return found;
}

const dropped = new Set(["description", "x-kubernetes-unions", "x-kubernetes-group-version-kind"]);
const mapsOfSchemas = new Set(["properties", "definitions"]);

function isZeroValue(value: unknown): boolean {
  return value === "" || value === 0 || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** Drops prose and Go's zero-value defaults, and writes `allOf: [{$ref}]` as `$ref`. */
function strip(schema: Schema): Schema {
  const out: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (dropped.has(key) || (key === "default" && isZeroValue(value))) continue;
    if (key === "allOf" && Array.isArray(value) && value.length === 1) Object.assign(out, strip(value[0]));
    else if (key === "$ref") out[key] = String(value).replace("#/components/schemas/", "#/definitions/");
    else if (mapsOfSchemas.has(key)) {
      out[key] = Object.fromEntries(Object.entries(value as Record<string, Schema>).map(([name, s]) => [name, strip(s)]));
    } else if (Array.isArray(value)) out[key] = value.map((v) => (typeof v === "object" && v !== null ? strip(v) : v));
    else out[key] = typeof value === "object" && value !== null ? strip(value as Schema) : value;
  }
  if (out["format"] === "int-or-string") return { format: "int-or-string", "x-kubernetes-int-or-string": true };
  return out as Schema;
}

/** The generated Go holds one function a type and one `Enum:` line a field; the field is the last line with five tabs. */
function addEnums(definitions: Map<string, Schema>, goFile: string): number {
  const byFunction = new Map(
    [...definitions].map(([name, schema]) => [name.replace(/^io\.k8s\./, "").replace(/[.-]/g, "_"), schema]),
  );
  const find = (name: string) => byFunction.get(name) ?? [...byFunction].find(([key]) => key.endsWith(`_${name}`))?.[1];
  let current: Schema | undefined;
  let field = "";
  let added = 0;
  for (const line of readFileSync(goFile, "utf8").split("\n")) {
    const type = /^func schema_(?:k8sio_)?(\w+)\(ref/.exec(line)?.[1];
    if (type !== undefined) current = find(type);
    field = /^\t{5}"([^"]+)": \{/.exec(line)?.[1] ?? field;
    const values = /^\t+Enum: +\[\]interface\{\}(\{.*\}),/.exec(line)?.[1];
    const property = values === undefined ? undefined : current?.properties?.[field];
    if (values === undefined || property === undefined) continue;
    const holder = property.items ?? property.additionalProperties ?? property;
    // Go's `[]interface{}{"a", "b"}` is JSON but for the braces.
    holder["enum"] = JSON.parse(`[${values.slice(1, -1)}]`);
    added++;
  }
  return added;
}

/**
 * Fields that OpenAPI calls required and whose absence kube-apiserver 1.36.3 accepts (a zero value stands for them), or
 * of which no one has tried; by type and field. test/e2e/linter.test.ts tries the others.
 */
const notEnforced = new Set([
  "ClusterTrustBundleProjection.path",
  "ControllerRevision.revision",
  "CSIDriver.spec",
  "CSINode.spec",
  "CSINodeSpec.drivers",
  "CustomResourceDefinitionVersion.served",
  "DeviceCapacity.value",
  "DeviceClass.spec",
  "Event.involvedObject",
  "ForZone.name",
  "HTTPHeader.value",
  "ISCSIPersistentVolumeSource.lun",
  "ISCSIVolumeSource.lun",
  "LimitRangeSpec.limits",
  "PodFailurePolicy.rules",
  "PreferredSchedulingTerm.preference",
  "ResourceClaim.spec",
  "ResourceClaimTemplate.spec",
  "ResourceClaimTemplateSpec.spec",
  "ResourcePool.generation",
  "ScaleIOVolumeSource.secretRef",
  "SleepAction.seconds",
  "Sysctl.value",
  "TokenRequest.audience",
  // Not tried.
  "CapacityRequestPolicyRange.min",
  "ContainerExtendedResourceRequest.*",
  "Counter.value",
  "CounterSet.*",
  "DeviceAllocationConfiguration.source",
  "DeviceCounterConsumption.*",
  "DeviceTaint.*",
  "EventSeries.*",
  "FieldSelectorRequirement.*",
  "ForNode.name",
  "GroupResource.*",
  "ScaleIOPersistentVolumeSource.secretRef",
]);

function withoutUnenforced(name: string, schema: Schema): Schema {
  const type = name.slice(name.lastIndexOf(".") + 1);
  const required = schema["required"];
  if (!Array.isArray(required) || notEnforced.has(`${type}.*`)) return { ...schema, required: undefined };
  const kept = required.filter((field) => !notEnforced.has(`${type}.${field}`));
  return { ...schema, required: kept.length === 0 ? undefined : kept };
}

function reachable(definitions: Map<string, Schema>, from: Iterable<string>): Record<string, Schema> {
  const seen = new Map<string, Schema>();
  const queue = [...from];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const schema = definitions.get(name);
    if (schema === undefined || seen.has(name)) continue;
    // The published documents say "string or number" of a quantity and no more.
    const stripped = withoutUnenforced(name, strip(schema));
    seen.set(name, name.endsWith(".api.resource.Quantity") ? { ...stripped, format: "quantity" } : stripped);
    for (const match of JSON.stringify(schema).matchAll(/#\/components\/schemas\/([^"]+)/g))
      if (match[1] !== undefined) queue.push(match[1]);
  }
  return Object.fromEntries([...seen].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `v1` before `v1beta1` before `v1alpha1`, newer before older, as API discovery orders them. */
function versionRank(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return 0;
  const stage = match[2] === undefined ? 2 : match[2] === "beta" ? 1 : 0;
  return stage * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0);
}

function readResources(directory: string) {
  const resources = [];
  for (const file of readdirSync(directory).sort()) {
    const list = json(join(directory, file));
    if (list["kind"] !== "APIResourceList") continue;
    const [version = "", group = ""] = String(list["groupVersion"]).split("/").reverse();
    const items = list["resources"] as DiscoveryResource[];
    for (const r of items.filter((item) => !item.name.includes("/"))) {
      resources.push({
        group,
        version,
        kind: r.kind,
        resource: r.name,
        singular: r.singularName,
        shortNames: r.shortNames ?? [],
        categories: r.categories ?? [],
        namespaced: r.namespaced,
        verbs: r.verbs,
        subresources: items
          .filter((item) => item.name.startsWith(`${r.name}/`))
          .map((s) => ({
            name: s.name.slice(r.name.length + 1),
            group: s.group ?? (s.version === undefined ? group : ""),
            version: s.version ?? version,
            kind: s.kind,
            verbs: s.verbs,
          })),
      });
    }
  }
  const core = (group: string) => (group === "" ? 0 : 1);
  return resources.sort(
    (a, b) =>
      core(a.group) - core(b.group) || a.group.localeCompare(b.group, "en") || versionRank(b.version) - versionRank(a.version),
  );
}

/** The folder of a staging module: in the tree of a checkout, or beside a Go module of the same minor. */
function stagingModule(name: string): string {
  const inTree = join(root, "staging/src/k8s.io", name);
  if (existsSync(inTree)) return inTree;
  const prefix = `${name}@v0.${minor.split(".")[1]}.`;
  const sibling = readdirSync(dirname(root)).find((entry) => entry.startsWith(prefix));
  if (sibling === undefined) throw new Error(`no staging module ${prefix}* beside ${root}`);
  return join(dirname(root), sibling);
}

interface Lifecycle {
  deprecated?: string;
  removed?: string;
  replacement?: string;
}

/** Kinds whose Go types are gone, so that no generated file tells of them any more; from the release notes. */
const forgotten: Record<string, Lifecycle> = {
  "policy/v1beta1/PodSecurityPolicy": { deprecated: "1.21", removed: "1.25" },
  "extensions/v1beta1/PodSecurityPolicy": { deprecated: "1.10", removed: "1.16" },
  "autoscaling/v2beta1/HorizontalPodAutoscaler": {
    deprecated: "1.22",
    removed: "1.25",
    replacement: "autoscaling/v2/HorizontalPodAutoscaler",
  },
  "autoscaling/v2beta2/HorizontalPodAutoscaler": {
    deprecated: "1.23",
    removed: "1.26",
    replacement: "autoscaling/v2/HorizontalPodAutoscaler",
  },
  "batch/v2alpha1/CronJob": { removed: "1.21", replacement: "batch/v1/CronJob" },
  "settings.k8s.io/v1alpha1/PodPreset": { removed: "1.20" },
  "auditregistration.k8s.io/v1alpha1/AuditSink": { removed: "1.19" },
  "resource.k8s.io/v1alpha2/ResourceClaim": { removed: "1.31", replacement: "resource.k8s.io/v1/ResourceClaim" },
  "resource.k8s.io/v1alpha2/ResourceClaimTemplate": { removed: "1.31", replacement: "resource.k8s.io/v1/ResourceClaimTemplate" },
  "resource.k8s.io/v1alpha2/ResourceClass": { removed: "1.31", replacement: "resource.k8s.io/v1/DeviceClass" },
};

/** Deprecation and removal of every version the staging modules still hold, by `group/version/kind`. */
function readLifecycle(): Record<string, Lifecycle> {
  const found: Record<string, Lifecycle> = { ...forgotten };
  for (const module of ["api", "apiextensions-apiserver", "kube-aggregator"]) {
    const base = stagingModule(module);
    for (const file of readdirSync(base, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith("zz_generated.prerelease-lifecycle.go")) continue;
      const registration = join(base, dirname(file), "register.go");
      const group = /const GroupName = "([^"]*)"/.exec(readFileSync(registration, "utf8"))?.[1] ?? "";
      const prefix = `${group === "" ? "" : `${group}/`}${dirname(file).split("/").at(-1)}`;
      const source = readFileSync(join(base, file), "utf8");
      for (const [, kind = "", what = "", body = ""] of source.matchAll(
        /func \(in \*(\w+)\) APILifecycle(\w+)\(\)[^{]*\{\s*return ([^\n]*)/g,
      )) {
        if (kind.endsWith("List") || what === "Introduced") continue;
        const entry = found[`${prefix}/${kind}`] ?? {};
        found[`${prefix}/${kind}`] = entry;
        const gvk = /Group: "([^"]*)", Version: "([^"]*)", Kind: "([^"]*)"/.exec(body);
        if (gvk !== null)
          entry.replacement = gvk
            .slice(1)
            .filter((part) => part !== "")
            .join("/")
            .replace(/List$/, "");
        else if (what === "Deprecated") entry.deprecated = body.replace(", ", ".");
        else if (what === "Removed") entry.removed = body.replace(", ", ".");
      }
    }
  }
  return Object.fromEntries(
    Object.entries(found)
      .filter(([, entry]) => entry.removed !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const definitions = readDefinitions(join(root, "api/openapi-spec/v3"));
const enums = addEnums(definitions, join(root, "pkg/generated/openapi/zz_generated.openapi.go"));
const resources = readResources(join(root, "api/discovery"));

const served = new Set(
  resources.flatMap((r) => [r, ...r.subresources]).map((r) => `${r.group === "" ? "" : `${r.group}/`}${r.version}/${r.kind}`),
);
const kinds: Record<string, string> = {};
for (const [name, schema] of definitions) {
  for (const gvk of (schema["x-kubernetes-group-version-kind"] ?? []) as { group: string; version: string; kind: string }[]) {
    const key = `${gvk.group === "" ? "" : `${gvk.group}/`}${gvk.version}/${gvk.kind}`;
    if (served.has(key)) kinds[key] = name;
  }
}

const artefact = { resources, definitions: reachable(definitions, Object.values(kinds)) };
const target = `catalog/kubernetes/v${minor}.json`;
// One definition a line: small, and a diff between minors stays readable.
const lines = (value: object) =>
  Object.entries(value)
    .map(([key, v]) => `${JSON.stringify(key)}:${JSON.stringify(v)}`)
    .join(",\n");
const text = `{"kubernetesVersion":${JSON.stringify(minor)},
"kinds":{
${lines(kinds)}
},
"resources":[
${artefact.resources.map((r) => JSON.stringify(r)).join(",\n")}
],
"lifecycle":{
${lines(readLifecycle())}
},
"definitions":{
${lines(artefact.definitions)}
}}
`;
writeFileSync(target, text);
console.log(
  `${target}: ${Object.keys(artefact.definitions).length} definitions, ${Object.keys(kinds).length} kinds, ` +
    `${resources.length} resources, ${enums} enumerations, ${text.length} bytes`,
);
