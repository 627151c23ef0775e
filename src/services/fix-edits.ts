import type { Finding } from "../core/finding.ts";
import { formatRef, isKubernetesObject, type ResourceRef, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { textEdits } from "../core/text-edit.ts";

/** The findings with their patches as edits of the scanned texts, where those can be made in place. */
export function withEdits(findings: readonly Finding[], documents: readonly SourceDocument[]): readonly Finding[] {
  const byPlace = new Map<string, SourceDocument[]>();
  for (const document of documents) {
    if (!isKubernetesObject(document.value)) continue;
    const key = placeKey(document.file, resourceRef(document.value));
    byPlace.set(key, [...(byPlace.get(key) ?? []), document]);
  }
  return findings.map((finding) => {
    const patch = finding.fix?.patch;
    if (finding.fix === undefined || patch === undefined || finding.location === undefined) return finding;
    const { start } = finding.location;
    const candidates = byPlace.get(placeKey(finding.location.file, finding.resource)) ?? [];
    // Of objects of one name in one file, the last that begins before the finding.
    const document = candidates.findLast((d) => (d.locate([])?.start.offset ?? 0) <= start.offset);
    const edits = document === undefined ? undefined : textEdits(document, patch);
    return edits === undefined ? finding : { ...finding, fix: { ...finding.fix, edits } };
  });
}

/** Without the namespace, which the scan may have given. */
function placeKey(file: string, resource: ResourceRef): string {
  return `${file} ${formatRef({ ...resource, namespace: "" })}`;
}
