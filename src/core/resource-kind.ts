import type { z } from "zod";
import { type Diagnostic, failed, type Loaded, loaded } from "./diagnostic.ts";
import { asString, type JsonPath, type JsonValue, member, toDotted } from "./json.ts";
import { isDnsSubdomain } from "./label-selector.ts";
import { nearestName } from "./nearest-name.ts";
import type { SourceDocument } from "./source.ts";

export const castellanGroup = "castellan.dev";
export const castellanVersion = "v1alpha1";
const castellanApiVersion = `${castellanGroup}/${castellanVersion}`;

/** One of our own kinds: the schema checks documents, types the code, and is written out as a CustomResourceDefinition. */
export interface ResourceKind<Spec> {
  readonly kind: string;
  /** As in URLs: lower case, plural. */
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType<Spec>;
  /** Columns of `kubectl get`: title and path below `spec`. */
  readonly columns: readonly { readonly name: string; readonly path: string }[];
}

export interface Resource<Spec> {
  readonly name: string;
  readonly spec: Spec;
  readonly document: SourceDocument;
}

/** Whether the value says that it is of this kind, in whichever version. */
export function isOfKind(value: JsonValue, { kind }: Pick<ResourceKind<unknown>, "kind">): boolean {
  return asString(member(value, "apiVersion"))?.split("/")[0] === castellanGroup && member(value, "kind") === kind;
}

/** `AccessRule break-glass: `, for a document that came from no file. */
function labelOf({ value }: SourceDocument): string {
  return `${asString(member(value, "kind")) ?? "?"} ${asString(member(member(value, "metadata"), "name")) ?? "?"}: `;
}

/** A problem at a place of a document; the path is part of the message, so that it reads without the file. */
export function problemAt(
  document: SourceDocument,
  path: JsonPath,
  message: string,
  code: Diagnostic["code"] = "RESOURCE_INVALID",
  next?: string,
): Diagnostic {
  const span = document.locateKey(path) ?? document.locate(path);
  const text = `${span === undefined ? labelOf(document) : ""}${path.length === 0 ? message : `${toDotted(path)}: ${message}`}`;
  return { code, severity: "error", message: text, ...(next === undefined ? {} : { next }), span };
}

/** The names that an object of the schema may have at `path`, to guess what a wrong one was meant to be. */
function namesAt(schema: z.ZodType, path: JsonPath): readonly string[] {
  let here: unknown = schema.toJSONSchema({ io: "input", unrepresentable: "any" });
  const inside = (value: unknown, key: string): unknown =>
    typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
  for (const step of path) here = typeof step === "number" ? inside(here, "items") : inside(inside(here, "properties"), step);
  const properties = inside(here, "properties");
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}

function textOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) return `is missing: ${issue.expected}`;
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "too_small" && (issue.origin === "array" || issue.origin === "string")) return "must not be empty";
  return issue.message;
}

function issueDiagnostics(document: SourceDocument, schema: z.ZodType, issue: z.core.$ZodIssue): readonly Diagnostic[] {
  const inSpec = issue.path.filter((step) => typeof step !== "symbol");
  const path = ["spec", ...inSpec];
  if (issue.code !== "unrecognized_keys") return [problemAt(document, path, textOf(issue))];
  const names = namesAt(schema, inSpec);
  return issue.keys.map((key) => {
    const nearest = nearestName(key, names);
    const next = nearest === undefined ? undefined : `Did you mean ${JSON.stringify(nearest)}?`;
    return problemAt(document, [...path, key], `unknown field ${JSON.stringify(key)}`, "RESOURCE_UNKNOWN_FIELD", next);
  });
}

const topLevel = ["apiVersion", "kind", "metadata", "spec", "status"];

/** Reads a document of one of our kinds; what it does not know is an error that names the field. */
export function readResource<Spec>(document: SourceDocument, kind: ResourceKind<Spec>): Loaded<Resource<Spec>> {
  const { value } = document;
  const problems: Diagnostic[] = [];
  const name = asString(member(member(value, "metadata"), "name")) ?? "";
  if (!isDnsSubdomain(name)) {
    problems.push(
      problemAt(document, ["metadata", "name"], `${JSON.stringify(name)} is no name: lower-case letters, digits, - and .`),
    );
  }
  const apiVersion = member(value, "apiVersion");
  if (apiVersion !== castellanApiVersion) {
    problems.push(problemAt(document, ["apiVersion"], `must be ${castellanApiVersion}, but is ${JSON.stringify(apiVersion)}`));
  }
  for (const key of Object.keys(typeof value === "object" && value !== null ? value : {})) {
    if (!topLevel.includes(key)) {
      problems.push(problemAt(document, [key], `unknown field ${JSON.stringify(key)}`, "RESOURCE_UNKNOWN_FIELD"));
    }
  }
  const parsed = kind.spec.safeParse(member(value, "spec") ?? {});
  if (!parsed.success) {
    problems.push(...parsed.error.issues.flatMap((issue) => issueDiagnostics(document, kind.spec, issue)));
    return failed(...problems);
  }
  return problems.length > 0 ? failed(...problems) : loaded({ name, spec: parsed.data, document });
}
