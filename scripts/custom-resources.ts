import { readFileSync, writeFileSync } from "node:fs";
import { dump } from "js-yaml";
import { customResourceDefinition } from "../src/core/resource-definition.ts";
import { accessKinds } from "../src/services/access/access-documents.ts";

const template = new URL("../deploy/helm/castellan/templates/definitions.yaml", import.meta.url);
const manifests = new URL("../deploy/castellan.yaml", import.meta.url);
const mark = "# Source: castellan/templates/definitions.yaml";

/** The CustomResourceDefinitions of castellan.dev as YAML documents. */
export function definitions(): readonly string[] {
  return [...accessKinds]
    .sort((a, b) => (a.kind < b.kind ? -1 : 1))
    .map((kind) => dump(customResourceDefinition(kind), { lineWidth: 130, noRefs: true }));
}

/** The chart's template. */
export function definitionsTemplate(): string {
  return `{{- if .Values.definitions.install }}\n# Written by scripts/custom-resources.ts.\n${definitions().join("---\n")}{{- end }}\n`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(template, definitionsTemplate());
  const text = readFileSync(manifests, "utf8");
  const others = text.split("---\n").filter((document) => !document.startsWith(mark));
  const [first = "", ...rest] = others;
  const own = definitions().map(
    (document, i) => `${mark}\n${i === 0 ? "# Written by scripts/custom-resources.ts.\n" : ""}${document}`,
  );
  writeFileSync(manifests, [first, ...insert(rest, own)].join("---\n"));
}

/** Where Helm puts them: it sorts by kind, and definitions come before what is bound to roles. */
function insert(documents: readonly string[], own: readonly string[]): readonly string[] {
  const after = documents.findLastIndex((document) =>
    /^kind: (NetworkPolicy|PodDisruptionBudget|ServiceAccount)$/m.test(document),
  );
  return [...documents.slice(0, after + 1), ...own, ...documents.slice(after + 1)];
}
