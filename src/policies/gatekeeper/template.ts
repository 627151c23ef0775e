import type { Diagnostic } from "../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { annotationsOf, type KubernetesObject, nameOf, parseApiVersion } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { DocumentReport, reportShape } from "../kyverno/report.ts";
import { compileTemplateCel } from "./cel-source.ts";
import type { Engine } from "./engine.ts";
import { incompleteParts } from "./incomplete-template.ts";
import { compileTemplateRego, textsOf } from "./rego-source.ts";
import { celSourceShape, regoSourceShape, templateShape } from "./template-shape.ts";

/** A ConstraintTemplate: code, and what parameters its constraints may give it. */
export interface Template {
  /** Of its constraints. */
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  /** Of `spec.parameters`; undefined: constraints may give none. */
  readonly parameters: JsonObject | undefined;
  /** Requests that the webhook brings before it; undefined: those that Gatekeeper's webhook gets. */
  readonly operations: readonly string[] | undefined;
  /** Undefined where the code does not compile. */
  readonly engine: Engine | undefined;
  /** Why nothing can be judged by it, in one line. */
  readonly problem: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Adds to a schema that says little what Gatekeeper adds to those of old templates: members of any name. */
function loosened(schema: JsonObject): JsonObject {
  const { type, properties, items, additionalProperties } = schema;
  const open = type === undefined || type === "" || type === "object" ? { "x-kubernetes-preserve-unknown-fields": true } : {};
  const inner = (part: JsonValue | undefined) => (isObject(part) ? loosened(part) : part);
  return {
    ...schema,
    ...open,
    ...(isObject(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, inner(part)])) }
      : {}),
    ...(items !== undefined ? { items: inner(items) } : type === "array" ? { items: loosened({}) } : {}),
    ...(additionalProperties === undefined ? {} : { additionalProperties: inner(additionalProperties) }),
  };
}

function parametersOf(object: KubernetesObject): JsonObject | undefined {
  const validation = member(member(member(object["spec"], "crd"), "spec"), "validation");
  const schema = member(validation, "openAPIV3Schema");
  const isOld = parseApiVersion(object.apiVersion).version !== "v1";
  const legacy = member(validation, "legacySchema") ?? isOld;
  if (legacy !== true) return isObject(schema) ? schema : undefined;
  return loosened(isObject(schema) ? schema : {});
}

/** Every part of a schema has a type: a definition without is refused. */
function untyped(schema: JsonValue | undefined, path: JsonPath): readonly JsonPath[] {
  if (!isObject(schema)) return [];
  const { type, properties, items, additionalProperties } = schema;
  const isFree = schema["x-kubernetes-preserve-unknown-fields"] === true || schema["x-kubernetes-int-or-string"] === true;
  const own = (type === undefined || type === "") && !isFree ? [path] : [];
  const named = isObject(properties) ? Object.entries(properties) : [];
  return [
    ...own,
    ...named.flatMap(([name, part]) => untyped(part, [...path, "properties", name])),
    ...untyped(items, [...path, "items"]),
    ...untyped(additionalProperties, [...path, "additionalProperties"]),
  ];
}

interface Code {
  readonly engine: string;
  readonly source: JsonValue | undefined;
  readonly path: JsonPath;
}

const targetPath: JsonPath = ["spec", "targets", 0];

/** The sources of a target; `rego` beside them is one, too, and takes the place of one of that engine. */
function codesOf(target: JsonValue | undefined): readonly Code[] {
  const codes = member(target, "code");
  const listed = (isArray(codes) ? codes : []).map(
    (code, i): Code => ({
      engine: asString(member(code, "engine")) ?? "",
      source: member(code, "source"),
      path: [...targetPath, "code", i, "source"],
    }),
  );
  const rego = asString(member(target, "rego")) ?? "";
  if (rego === "") return listed;
  const beside: Code = { engine: "Rego", source: { rego, libs: textsOf(member(target, "libs")) }, path: targetPath };
  return [...listed.filter(({ engine }) => engine !== "Rego"), beside];
}

function compileRegoCode({ source, path }: Code, report: DocumentReport): Engine | undefined {
  if (path !== targetPath) reportShape(source, regoSourceShape, path, report);
  const rego = asString(member(source, "rego")) ?? "";
  const libs = textsOf(member(source, "libs"));
  const compiled = compileTemplateRego({ rego, libs, version: asString(member(source, "version")) ?? "" });
  if (compiled.ok) return compiled.engine;
  for (const { module, diagnostic } of compiled.problems) {
    const place = module === 0 ? [...path, "rego"] : [...path, "libs", module - 1];
    const line = diagnostic.span === undefined ? "" : `line ${diagnostic.span.start.line}: `;
    report.error(diagnostic.code, place, `${line}${diagnostic.message}`, diagnostic.next);
  }
  return undefined;
}

/** Of several sources, CEL comes before Rego, as in Gatekeeper. */
function compileCode(codes: readonly Code[], report: DocumentReport): Engine | undefined {
  const cel = codes.find(({ engine }) => engine === "K8sNativeValidation");
  if (cel !== undefined) {
    reportShape(cel.source, celSourceShape, cel.path, report);
    return compileTemplateCel(cel.source, cel.path, report);
  }
  const rego = codes.find(({ engine }) => engine === "Rego");
  return rego === undefined ? undefined : compileRegoCode(rego, report);
}

function compile(document: SourceDocument<KubernetesObject>): Template {
  const object = document.value;
  const report = new DocumentReport(document);
  reportShape(object["spec"], templateShape, ["spec"], report);
  const missing = incompleteParts(object);
  for (const { path, message, next } of missing) report.error("GATEKEEPER_TEMPLATE", path, message, next);
  const parameters = parametersOf(object);
  for (const path of untyped(parameters, ["spec", "crd", "spec", "validation", "openAPIV3Schema"])) {
    report.error("GATEKEEPER_TEMPLATE", path, "a part of a schema needs a type");
  }
  const target = (() => {
    const targets = member(object["spec"], "targets");
    return isArray(targets) ? targets[0] : undefined;
  })();
  const engine = missing.length > 0 ? undefined : compileCode(codesOf(target), report);
  const operations = member(target, "operations");
  const { errors } = report;
  const annotations = annotationsOf(object);
  return {
    kind: asString(member(member(member(member(object["spec"], "crd"), "spec"), "names"), "kind")) ?? "",
    title: annotations["metadata.gatekeeper.sh/title"] ?? "",
    description: annotations["description"] ?? "",
    parameters,
    operations: isArray(operations) && operations.length > 0 ? textsOf(operations) : undefined,
    engine: report.errorCount === 0 ? engine : undefined,
    problem:
      report.errorCount === 0 ? undefined : `its ConstraintTemplate ${nameOf(object)} cannot be used: ${errors.join("; ")}`,
    diagnostics: report.diagnostics,
  };
}

const compiled = new WeakMap<KubernetesObject, Template>();

/** Compiles a ConstraintTemplate; each is compiled once, however many constraints there are. */
export function compileTemplate(document: SourceDocument<KubernetesObject>): Template {
  const template = compiled.get(document.value) ?? compile(document);
  compiled.set(document.value, template);
  return template;
}
