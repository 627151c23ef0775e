import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readBinding, readRole } from "../../src/analysis/rbac/objects.ts";
import { emptyRule, type PolicyRule } from "../../src/analysis/rbac/policy-rule.ts";
import { RbacIndex } from "../../src/analysis/rbac/rbac-index.ts";
import { isKubernetesObject } from "../../src/core/kubernetes.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";

/** A rule as the oracle prints it: empty lists are left out. */
export type OracleRule = Partial<PolicyRule>;

export function fullRule(rule: OracleRule): PolicyRule {
  return { ...emptyRule, ...rule };
}

/** Every JSON file below a directory, in order; a missing directory holds none. */
export async function jsonFiles<T>(directory: string): Promise<readonly { readonly id: string; readonly value: T }[]> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  return Promise.all(
    files.map(async (name) => ({
      id: name.replace(/\.json$/, ""),
      value: JSON.parse(await readFile(join(directory, name), "utf8")) as T,
    })),
  );
}

/** The roles and bindings of a List in JSON. */
export function indexOf(text: string): RbacIndex {
  const index = new RbacIndex();
  for (const document of parseDocuments(text, "fixture.json").documents) {
    if (!isKubernetesObject(document.value)) continue;
    const object = { ...document, value: document.value };
    const isBinding = document.value.kind.endsWith("Binding");
    const read = isBinding ? readBinding(object) : readRole(object);
    if (!read.ok) throw new Error(read.diagnostics[0]?.message);
    if ("roleRef" in read.value) index.putBinding(read.value);
    else index.putRole(read.value);
  }
  return index;
}
