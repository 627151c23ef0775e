import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { formatRef, groupOf, isKubernetesObject, type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { PolicySet } from "../engine/index.ts";
import { bindingKinds, exceptionKinds, type GroupKind, type PolicyFormats } from "../policies/formats.ts";
import type { CompiledPolicy, CompileEnv, PolicyFormat } from "../policies/policy.ts";

export type PolicyDocument = SourceDocument<KubernetesObject>;

export interface CompiledPolicies {
  readonly set: PolicySet;
  readonly diagnostics: readonly Diagnostic[];
  /** Those of the set of which some part could not be compiled: that part answers with errors. */
  readonly broken: ReadonlySet<CompiledPolicy>;
}

const isOneOf = (object: KubernetesObject, kinds: readonly GroupKind[], group = groupOf(object)): boolean =>
  kinds.some((k) => k.group === group && (k.kind === "*" || k.kind === object.kind));

function formatOf(object: KubernetesObject, { formats }: PolicyFormats): PolicyFormat | undefined {
  const group = groupOf(object);
  return formats.find((format) => isOneOf(object, format.kinds, group));
}

/** What only has a meaning beside policies. */
const companionKinds = [...exceptionKinds, ...bindingKinds];

/** Whether the object is a policy of these formats, or what lifts or binds one. */
export function isPolicyOf(formats: PolicyFormats, object: KubernetesObject): boolean {
  return formatOf(object, formats) !== undefined || isCompanion(object);
}

/** Whether the object lifts or binds policies, and is none itself. */
export function isCompanion(object: KubernetesObject): boolean {
  return isOneOf(object, companionKinds);
}

function isPolicyDocument(document: SourceDocument): document is PolicyDocument {
  return isKubernetesObject(document.value);
}

function unknownKind(document: SourceDocument): Diagnostic {
  const what = isPolicyDocument(document) ? formatRef(resourceRef(document.value)) : "the document";
  return {
    code: "KIND_UNKNOWN",
    severity: "warning",
    message: `${what} is no policy`,
    span: document.locate([]),
  };
}

/**
 * Compiles the policies among documents, each by the format of its kind, with the exceptions among them (and `exceptions`)
 * applied. What is no policy is reported; nothing is dropped silently.
 */
export function compileBy(
  formats: PolicyFormats,
  documents: readonly SourceDocument[],
  resources: ApiResources,
  exceptions: readonly PolicyDocument[] = [],
): CompiledPolicies {
  const diagnostics: Diagnostic[] = [];
  const policies: CompiledPolicy[] = [];
  const broken = new Set<CompiledPolicy>();
  const objects = documents.filter(isPolicyDocument);
  const lifting = [...objects.filter((d) => isOneOf(d.value, exceptionKinds)), ...exceptions];
  const bindings = objects.filter((d) => isOneOf(d.value, bindingKinds));
  const env: CompileEnv = { resources, exceptions: lifting, bindings, documents: objects };
  diagnostics.push(...formats.companionDiagnostics(env));
  for (const document of documents) {
    if (!isPolicyDocument(document)) diagnostics.push(unknownKind(document));
    else if (!isCompanion(document.value)) {
      const compiled = formatOf(document.value, formats)?.compile(document, env);
      if (compiled === undefined) diagnostics.push(unknownKind(document));
      else {
        diagnostics.push(...compiled.diagnostics);
        if (!compiled.ok) continue;
        policies.push(compiled.value);
        if (compiled.diagnostics.some((d) => d.severity === "error")) broken.add(compiled.value);
      }
    }
  }
  return { set: new PolicySet(policies), diagnostics, broken };
}
