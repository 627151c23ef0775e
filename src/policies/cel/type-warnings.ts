import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { type GroupVersionKind, parseApiVersion } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import { check } from "../../languages/cel/checker.ts";
import { type Env, variable } from "../../languages/cel/env.ts";
import { formatIssues } from "../../languages/cel/issue.ts";
import { parse } from "../../languages/cel/parser.ts";
import { SchemaTypes } from "../../languages/cel/schema/decl-type.ts";
import { type CelType, dynType } from "../../languages/cel/types.ts";
import { admissionEnv } from "./environment.ts";
import { variableSpecs } from "./expression-compiler.ts";
import { compileVariables } from "./variables.ts";

/** An expression that does not fit what a kind looks like; the API server shows these in `status.typeChecking`. */
export interface TypeWarning {
  readonly path: JsonPath;
  /** One paragraph a kind, as `apps/v1, Kind=Deployment: ERROR: <input>:1:7: ...`. */
  readonly message: string;
}

/** So many kinds the API server looks at, one rule after the other. */
const maxKinds = 10;

const texts = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((v) => typeof v === "string") : [];

/** The resources that a rule names one by one; none where a group or version is a wildcard. */
function namedBy(rule: JsonValue, resources: ApiResources): readonly ApiResource[] {
  const groups = texts(member(rule, "apiGroups"));
  const versions = texts(member(rule, "apiVersions"));
  if ([...groups, ...versions].some((text) => text.includes("*"))) return [];
  const names = texts(member(rule, "resources")).filter((name) => !/[*/]/.test(name));
  const all = resources.all();
  return groups
    .toSorted()
    .flatMap((group) =>
      versions
        .toSorted()
        .flatMap((version) =>
          names
            .toSorted()
            .flatMap((name) => all.filter((r) => r.group === group && r.version === version && r.resource === name)),
        ),
    );
}

function kindsOf(spec: JsonObject, resources: ApiResources): readonly GroupVersionKind[] {
  const kinds = new Map<string, GroupVersionKind>();
  const rules = member(spec["matchConstraints"], "resourceRules");
  for (const rule of isArray(rules) ? rules : []) {
    const named = namedBy(rule, resources);
    for (const { group, version, kind } of named.slice(0, maxKinds))
      kinds.set(`${group}|${version}|${kind}`, { group, version, kind });
    if (named.length >= maxKinds) break;
  }
  return [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, gvk]) => gvk);
}

/** The types of one kind, and of the parameters. */
function typed(base: Env, object: CelType, params: CelType | undefined, types: readonly SchemaTypes[]): Env {
  const declared =
    types.length === 0 ? {} : { structsByName: (name: string) => types.map((t) => t.struct(name)).find((s) => s !== undefined) };
  return base.extend({
    ...declared,
    variables: [
      variable("object", object),
      variable("oldObject", object),
      ...(params === undefined ? [] : [variable("params", params)]),
    ],
  });
}

function problemOf(source: string, env: Env): string | undefined {
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return formatIssues(source, parsed.issues);
  const checked = check(parsed.value, env);
  return checked.ok ? undefined : formatIssues(source, checked.issues);
}

function declared(gvk: GroupVersionKind, schemas: KubernetesSchemas, types: SchemaTypes): CelType | undefined {
  const schema = schemas.schemaFor(gvk);
  if (schema === undefined) return undefined;
  const metadata = schemas.child(schema, "metadata");
  // The whole metadata can be seen here, not only what CRDs may use of it.
  const whole = metadata === undefined ? schema : { ...schema, properties: { ...schema.properties, metadata } };
  return types.declare(whole, gvk.kind, true)?.type;
}

const formatKind = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}, Kind=${kind}`;

/**
 * Checks the validations of a ValidatingAdmissionPolicy against the schemas of the kinds that its rules name.
 * Only a hint, as in the API server: what is evaluated does not depend on it.
 */
export function typeWarnings(spec: JsonObject, resources: ApiResources): readonly TypeWarning[] {
  const { schemas } = resources;
  if (schemas === undefined) return [];
  const paramKind = isObject(spec["paramKind"]) ? spec["paramKind"] : undefined;
  const types = new SchemaTypes({ resolve: schemas.resolve });
  const paramGvk = paramKind && {
    ...parseApiVersion(asString(paramKind["apiVersion"]) ?? ""),
    kind: asString(paramKind["kind"]) ?? "",
  };
  const params = paramGvk && (declared(paramGvk, schemas, types) ?? dynType);
  const base = admissionEnv({ params: false, authorizer: true });
  const specs = variableSpecs(spec["variables"]);
  const environments = kindsOf(spec, resources).flatMap((gvk) => {
    if (schemas.schemaFor(gvk) === undefined) return [];
    const own = new SchemaTypes({ resolve: schemas.resolve });
    const env = typed(base, declared(gvk, schemas, own) ?? dynType, params, [own, types]);
    return [{ gvk, env: compileVariables(specs, env, { asApiServer: true }).env }];
  });
  const warn = (source: string, path: JsonPath): readonly TypeWarning[] => {
    const messages = environments.flatMap(({ gvk, env }) => {
      const problem = problemOf(source, env);
      return problem === undefined ? [] : [`${formatKind(gvk)}: ${problem}`];
    });
    return messages.length === 0 ? [] : [{ path, message: messages.join("\n") }];
  };
  const validations = spec["validations"];
  return (isArray(validations) ? validations : []).flatMap((validation, i) =>
    ["expression", "messageExpression"].flatMap((field) => {
      const source = asString(member(validation, field)) ?? "";
      return source === "" ? [] : warn(source, ["spec", "validations", i, field]);
    }),
  );
}
