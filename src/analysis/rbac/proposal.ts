import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { isArray, isObject, type JsonValue, member } from "../../core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { Dedupe } from "./dedupe.ts";
import { bindingManifest, roleManifest } from "./manifests.ts";
import { isRbacObject } from "./objects.ts";

/** A change of rights as one piece: what is written, and what goes. Its undo is another one. */
export interface RbacProposal {
  /** Service accounts, roles and bindings, whole; a binding whose roleRef changes is made anew. */
  readonly apply: readonly KubernetesObject[];
  /** Objects by apiVersion, kind, name and namespace. */
  readonly delete: readonly KubernetesObject[];
}

const apiVersion = "castellan.dev/v1alpha1";
const kind = "RbacProposal";

/** The proposal as a document that `readProposal` reads. */
export function proposalManifest({ apply, delete: gone }: RbacProposal): KubernetesObject {
  return { apiVersion, kind, apply, delete: gone };
}

/** Names one object of a cluster. */
export function objectKey(object: KubernetesObject): string {
  return `${groupOf(object)}/${object.kind}/${namespaceOf(object)}/${nameOf(object)}`;
}

/** The object without what it holds. */
export function nameManifest(object: KubernetesObject): KubernetesObject {
  const namespace = namespaceOf(object);
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name: nameOf(object), ...(namespace === "" ? {} : { namespace }) },
  };
}

/** Reads proposals, and plain objects as objects to apply. Anything but roles, bindings and service accounts is an error. */
export function readProposal(documents: readonly SourceDocument[]): Loaded<RbacProposal> {
  const apply: KubernetesObject[] = [];
  const gone: KubernetesObject[] = [];
  const diagnostics: Diagnostic[] = [];
  const refuse = (document: SourceDocument, path: readonly (string | number)[], message: string) => {
    const span = document.locate(path);
    diagnostics.push({
      code: "RBAC_PROPOSAL_INVALID",
      severity: "error",
      message,
      ...(span === undefined ? {} : { span }),
    });
  };
  for (const document of documents) {
    const { value } = document;
    if (isObject(value) && value["apiVersion"] === apiVersion && value["kind"] === kind) {
      for (const [list, into] of [
        ["apply", apply],
        ["delete", gone],
      ] as const) {
        const items = value[list];
        if (items !== undefined && !isArray(items)) refuse(document, [list], `${list} is not a list`);
        for (const [i, item] of (isArray(items) ? items : []).entries()) {
          if (isApplicable(item)) into.push(item);
          else refuse(document, [list, i], "only service accounts, roles and bindings with a name are applied");
        }
      }
      const strange = Object.keys(value).find((key) => !["apiVersion", "kind", "metadata", "apply", "delete"].includes(key));
      if (strange !== undefined) refuse(document, [strange], `${kind} has no field ${strange}`);
    } else if (isApplicable(value)) apply.push(value);
    else {
      refuse(
        document,
        [],
        `${String(member(value, "kind") ?? "a document")}: only service accounts, roles and bindings with a name are applied`,
      );
    }
  }
  const applied = new Set(apply.map(objectKey));
  return diagnostics.length > 0
    ? failed(...diagnostics)
    : loaded({ apply, delete: gone.filter((object) => !applied.has(objectKey(object))) });
}

/** What a proof of equal rights would delete and write; labels and annotations of what is written stay. */
export function dedupeProposal({ removed, added }: Dedupe): RbacProposal {
  const written = added.map((binding) => {
    const made = bindingManifest(binding);
    const { labels, annotations } = binding.document?.value.metadata ?? {};
    const kept = { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) };
    return { ...made, metadata: { ...made.metadata, ...kept } };
  });
  const anew = new Set(written.map(objectKey));
  const gone = removed.map((object) => nameManifest("roleRef" in object ? bindingManifest(object) : roleManifest(object)));
  return { apply: written, delete: gone.filter((object) => !anew.has(objectKey(object))) };
}

/** Objects of a namespace must name it: they are changed, and a guess would change others. */
function isApplicable(value: JsonValue): value is KubernetesObject {
  if (!isKubernetesObject(value) || nameOf(value) === "") return false;
  const isAccount = groupOf(value) === "" && value.kind === "ServiceAccount";
  if (!isAccount && !isRbacObject(value)) return false;
  return value.kind.startsWith("Cluster") || namespaceOf(value) !== "";
}

/**
 * The objects of a cluster after a proposal. Aggregated roles keep the rules that they have, unless the proposal touches a
 * ClusterRole with labels: then a controller gives them what their selectors find.
 */
export function documentsAfter(
  live: readonly SourceDocument[],
  { apply, delete: gone }: RbacProposal,
): readonly SourceDocument[] {
  const changed = new Set([...apply, ...gone].map(objectKey));
  const isChanged = ({ value }: SourceDocument) => isKubernetesObject(value) && changed.has(objectKey(value));
  const touched = [...apply, ...live.filter(isChanged).map((d) => d.value)];
  const aggregates = touched.some((value) => member(value, "kind") === "ClusterRole" && hasLabels(value));
  const kept = live.filter((document) => !isChanged(document));
  return [...(aggregates ? kept.map(unaggregated) : kept), ...apply.map(unplaced)];
}

function hasLabels(value: JsonValue): boolean {
  return isKubernetesObject(value) && Object.keys(labelsOf(value)).length > 0;
}

function unaggregated(document: SourceDocument): SourceDocument {
  const { value } = document;
  if (!isKubernetesObject(value) || value.kind !== "ClusterRole" || !isObject(value["aggregationRule"])) return document;
  const { resourceVersion: _, ...metadata } = value.metadata ?? {};
  return { ...document, value: { ...value, metadata } };
}

function unplaced(value: KubernetesObject): SourceDocument {
  return { file: "", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}
