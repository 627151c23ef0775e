import { asString, isArray, type JsonValue, member } from "../../core/json.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";

/** File names that kustomize looks for, in its order. */
export const kustomizationNames: readonly string[] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

export const chartName = "Chart.yaml";

/** Whether a walk reads files of this name. */
export function isManifestName(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name);
}

const goTemplate =
  /\{\{-?\s*(?:[.$]|\/\*|"|(?:if|else|range|with|end|include|template|define|block|fail|tpl|toYaml|printf|default|quote|nindent)\b)|\s-\}\}/;

/** Whether a text that is no YAML is a Go template, as Helm's; Kyverno's and Argo's `{{ name }}` are not. */
export function looksLikeTemplate(text: string): boolean {
  return goTemplate.test(text);
}

/** Files that a kustomization uses as patches or settings: parts of objects, not objects. Relative paths. */
export function kustomizePatchPaths(kustomization: string): readonly string[] {
  return parseDocuments(kustomization, "")
    .documents.flatMap(({ value }) => [
      ...listOf(value, "patches").map((patch) => asString(member(patch, "path"))),
      ...listOf(value, "patchesJson6902").map((patch) => asString(member(patch, "path"))),
      ...listOf(value, "patchesStrategicMerge").map((patch) => asString(patch)),
      ...listOf(value, "replacements").map((replacement) => asString(member(replacement, "path"))),
      ...listOf(value, "configurations").map((path) => asString(path)),
      ...listOf(value, "transformers").map((path) => asString(path)),
      ...listOf(value, "generators").map((path) => asString(path)),
    ])
    .filter((path): path is string => path !== undefined && !path.includes("\n"));
}

function listOf(value: JsonValue, key: string): readonly JsonValue[] {
  const list = member(value, key);
  return isArray(list) ? list : [];
}
