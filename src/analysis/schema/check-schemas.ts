import { crdVersions } from "../../core/crd.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Finding } from "../../core/finding.ts";
import { identified } from "../../core/fingerprint.ts";
import { isObject, type JsonObject, type JsonPath, type JsonValue, jsonEquals, member, valueAt } from "../../core/json.ts";
import { gvkOf, type KubernetesObject, nameOf, namespaceOf, resourceRef } from "../../core/kubernetes.ts";
import { gvkKey } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import { kubernetesEnvironments } from "../../languages/cel/libraries/kubernetes/environment.ts";
import { withDefaults } from "../../languages/cel/schema/defaults.ts";
import { schemaViolations } from "../../languages/cel/schema/structural.ts";
import { asStructuralSchema, type StructuralSchema } from "../../languages/cel/schema/structural-schema.ts";
import { type Violation, validateRules } from "../../languages/cel/schema/validate.ts";
import { compileSchema, type RuleNode } from "../../languages/cel/schema/validator.ts";
import { describeViolation, type SchemaViolation } from "../../languages/cel/schema/violation.ts";
import { ruleProblems } from "./definition-rules.ts";

type ObjectDocument = SourceDocument<KubernetesObject>;

/** A served version of a custom kind. */
interface CustomKind {
  readonly schema: StructuralSchema;
  /** The status is written through another door: what a manifest says of it is dropped. */
  readonly hasStatus: boolean;
  readonly rules: RuleNode | undefined;
}

export interface SchemaCheck {
  /** What is judged: custom resources, and the definitions among them. */
  readonly objects: readonly ObjectDocument[];
  /** Definitions besides those among the objects. */
  readonly definitions: readonly KubernetesObject[];
  /** The objects as they were before, for rules about changes; found by kind, namespace and name. */
  readonly before: readonly KubernetesObject[];
  /** API groups whose kinds are built in. */
  readonly builtInGroups: ReadonlySet<string>;
}

export interface SchemaFindings {
  readonly findings: readonly Finding[];
  /** Kinds that nothing is known of: their objects were not checked. */
  readonly diagnostics: readonly Diagnostic[];
}

const environments = kubernetesEnvironments(36, 36);

function kindsOf(definitions: readonly KubernetesObject[]): ReadonlyMap<string, CustomKind> {
  const kinds = new Map<string, CustomKind>();
  for (const definition of definitions) {
    for (const { gvk, schema, hasStatus } of crdVersions(definition)) {
      const structural = asStructuralSchema(schema);
      kinds.set(gvkKey(gvk), { schema: structural, hasStatus, rules: compileSchema(structural, true, { environments }) });
    }
  }
  return kinds;
}

const identity = (object: KubernetesObject): string =>
  JSON.stringify([gvkKey(gvkOf(object)), namespaceOf(object), nameOf(object)]);

/** The errors after which no rule is asked. */
const blocks = ({ type, wrongType }: SchemaViolation): boolean =>
  wrongType === true || type === "Required value" || type === "Unsupported value" || type === "Too long" || type === "Too many";

/** A violation is forgiven where what it is about was there before: of lists, the whole list. */
function isUnchanged({ path }: SchemaViolation, object: JsonValue, before: JsonValue): boolean {
  const list = path.findIndex((step) => typeof step === "number");
  const about = list < 0 ? path : path.slice(0, list);
  const old = valueAt(before, about);
  return old !== undefined && jsonEquals(old, valueAt(object, about));
}

function stored(object: JsonObject, { schema, hasStatus }: CustomKind): JsonObject {
  const kept = hasStatus ? Object.fromEntries(Object.entries(object).filter(([name]) => name !== "status")) : object;
  const complete = withDefaults(kept, schema);
  return isObject(complete) ? { ...complete, metadata: object["metadata"] } : kept;
}

/** Of metadata, a definition can only restrict the name. */
function namesOnly(object: JsonObject): JsonObject {
  const name = member(object["metadata"], "name");
  return { ...object, metadata: name === undefined ? {} : { name } };
}

/** `spec.list[0].name` as steps; keys in brackets are members of maps. */
function stepsOf(path: string): JsonPath {
  return [...path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)].map(([, name, bracketed]) => {
    if (name !== undefined) return name;
    return /^\d+$/.test(bracketed ?? "") ? Number(bracketed) : (bracketed ?? "");
  });
}

function ofRule({ path, type, value, detail }: Violation): SchemaViolation {
  return { path: stepsOf(path), type, value, detail };
}

interface Told {
  readonly violation: SchemaViolation;
  readonly rule: "structure" | "rule";
}

function violationsOf(object: KubernetesObject, before: KubernetesObject | undefined, kind: CustomKind): readonly Told[] {
  const now = stored(object, kind);
  const old = before === undefined ? undefined : stored(before, kind);
  const structural = schemaViolations(namesOnly(now), kind.schema);
  const kept = old === undefined ? structural : structural.filter((violation) => !isUnchanged(violation, now, old));
  const told = kept.map((violation): Told => ({ violation, rule: "structure" }));
  if (kind.rules === undefined || kept.some(blocks)) return told;
  const { violations } = validateRules(kind.rules, now, old, { ratcheting: old !== undefined });
  return [...told, ...violations.map((violation): Told => ({ violation: ofRule(violation), rule: "rule" }))];
}

const titles = {
  structure: "Object that its schema refuses",
  rule: "Object that a validation rule of its kind refuses",
} as const;

function finding(document: ObjectDocument, { violation, rule }: Told): Finding {
  const location = document.locate(violation.path);
  return identified({
    check: { policy: "schema", rule, title: titles[rule], category: "Schema" },
    status: "fail",
    severity: "medium",
    resource: resourceRef(document.value),
    path: violation.path,
    ...(location === undefined ? {} : { location }),
    message: `The API server refuses the object: ${describeViolation(violation)}`,
    controls: [],
  });
}

function definitionFindings(document: ObjectDocument): readonly Finding[] {
  return crdVersions(document.value).flatMap(({ gvk, schema, path }) => {
    const errors = ruleProblems(compileSchema(asStructuralSchema(schema), true, { environments }));
    const location = document.locate(path);
    return errors.map((error) =>
      identified({
        check: { policy: "schema", rule: "rule-error", title: "Validation rule that the API server refuses", category: "Schema" },
        status: "fail",
        severity: "medium",
        resource: resourceRef(document.value),
        path,
        ...(location === undefined ? {} : { location }),
        message: `The API server refuses the definition: version ${gvk.version}: ${error}`,
        controls: [],
      }),
    );
  });
}

/** Checks custom resources against the schemas and the validation rules of their definitions, as the API server does. */
export function checkSchemas({ objects, definitions, before, builtInGroups }: SchemaCheck): SchemaFindings {
  const kinds = kindsOf([...definitions, ...objects.map((document) => document.value)]);
  const old = new Map(before.map((object) => [identity(object), object]));
  const findings: Finding[] = [];
  const unknown = new Map<string, ObjectDocument>();
  for (const document of objects) {
    const object = document.value;
    findings.push(...definitionFindings(document));
    const gvk = gvkOf(object);
    const kind = kinds.get(gvkKey(gvk));
    if (kind !== undefined) {
      for (const told of violationsOf(object, old.get(identity(object)), kind)) findings.push(finding(document, told));
    } else if (!builtInGroups.has(gvk.group)) unknown.set(gvkKey(gvk), unknown.get(gvkKey(gvk)) ?? document);
  }
  const diagnostics = [...unknown].map(
    ([key, document]): Diagnostic => ({
      code: "SCHEMA_UNKNOWN",
      severity: "warning",
      message: `objects of ${key} were not checked against a schema: no CustomResourceDefinition of theirs is given`,
      span: document.locate(["kind"]),
    }),
  );
  return { findings, diagnostics };
}
