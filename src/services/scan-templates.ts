import type { Finding } from "../core/finding.ts";
import { identified } from "../core/fingerprint.ts";
import { diffJson } from "../core/json-diff.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { templateGroup } from "../policies/formats.ts";
import { completedTemplate, incompleteParts } from "../policies/gatekeeper/incomplete-template.ts";

type ObjectDocument = SourceDocument<KubernetesObject>;

const isTemplate = (document: SourceDocument): document is ObjectDocument =>
  isKubernetesObject(document.value) && document.value.kind === "ConstraintTemplate" && groupOf(document.value) === templateGroup;

function findingsOf(document: ObjectDocument): readonly Finding[] {
  return incompleteParts(document.value).map(({ path, message }) => {
    const location = document.locateKey(path) ?? document.locate(path);
    return identified({
      check: {
        policy: "gatekeeper/incomplete-template",
        rule: "missing-part",
        title: "ConstraintTemplate that was never completed",
        category: "Gatekeeper",
      },
      status: "fail",
      severity: "medium",
      resource: resourceRef(document.value),
      path,
      ...(location === undefined ? {} : { location }),
      message: `Gatekeeper refuses the template, so its constraints judge nothing: ${message}`,
      fix: {
        description: "The template with what it lacks; the Rego is an example to write over.",
        patch: diffJson(document.value, completedTemplate(document.value)),
        object: completedTemplate(document.value),
      },
      controls: [],
    });
  });
}

/** Templates of Gatekeeper among the documents that Gatekeeper itself would refuse. */
export function incompleteTemplates(documents: readonly SourceDocument[]): readonly Finding[] {
  return documents.filter(isTemplate).flatMap(findingsOf);
}
