import { loadKubernetesSchemas } from "../../../src/adapters/files/catalog.ts";
import { describeSubject } from "../../../src/analysis/rbac/describe.ts";
import { Identities } from "../../../src/analysis/rbac/identities.ts";
import { parseResourceArgument } from "../../../src/analysis/rbac/resource-argument.ts";
import { holdersOf } from "../../../src/analysis/rbac/who-can.ts";
import type { RbacWorld } from "../../../src/analysis/rbac/world.ts";
import { type Case, expectJson, type Outcome, skipped } from "../corpus.ts";
import { clusterOf, filesOf, manifestDocuments } from "./world.ts";

/** Manifests whose comments say how the tool is run, and what it answers. */
export async function* rbacTool(directory: string): AsyncIterable<Case> {
  for (const [file, text] of await filesOf(directory, ".yaml")) {
    yield { id: file.replace(".yaml", ""), run: () => answered(clusterOf(manifestDocuments(text)), text) };
  }
}

function answered(world: RbacWorld, text: string): Outcome {
  const comment = [...text.matchAll(/^#(.*)$/gm)].map((m) => m[1] ?? "");
  const command = comment.find((line) => line.includes("bin/rbac-tool")) ?? "";
  const [, verb = "", resource = "", filter = ""] = /who-can (\S+) (\S+)\s*(?:\|\s*grep (\S+))?/.exec(command) ?? [];
  const rows = comment
    .filter((line) => line.includes("|") && !line.includes("bin/rbac-tool"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  if (verb !== "") {
    const expected = rows.map(([kind, name, namespace]) => `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`);
    return expectJson(holders(world, verb, resource, filter).sort(), expected.sort());
  }
  const [, account] = /policy-rules -e (\S+)/.exec(command) ?? [];
  if (account === undefined) return skipped("the manifest says no answer");
  const expected = rows.map(([, , ...cells]) => cells.join("|"));
  return expectJson([...new Set(policyRows(world, account))].sort(), expected.sort());
}

function holders(world: RbacWorld, verb: string, resource: string, filter: string): string[] {
  const { namespaced: _, ...target } = parseResourceArgument(resource, loadKubernetesSchemas().resources());
  const request = { ...target, verb, namespace: "", subresource: "", user: "", groups: [] };
  const found = holdersOf(world, request, "anywhere", new Identities()).holders;
  const names = found.map((h) => describeSubject(h.subject, h.binding.namespace));
  return [...new Set(names)].filter((name) => name.includes(filter));
}

/** Verb, namespace, group, resource, name, path, three empty cells' worth of it, and the role that gives it. */
function policyRows(world: RbacWorld, account: string): string[] {
  const bindings = [...world.index.bindings()].filter((b) => b.subjects.some((s) => s.name === account));
  return bindings.flatMap((binding) => {
    const role = world.index.resolve(binding.roleRef, binding.namespace);
    if ("error" in role) return [];
    const origin = role.kind === "Role" ? `Roles>>${role.namespace}/${role.name}` : `ClusterRoles>>${role.name}`;
    return role.rules.flatMap((rule) =>
      rule.verbs.flatMap((verb) =>
        rule.apiGroups.flatMap((group) =>
          rule.resources.flatMap((resource) =>
            (rule.resourceNames.length === 0 ? [""] : rule.resourceNames).map((name) =>
              [verb, binding.namespace || "*", group === "" ? "core" : group, resource, name, "", origin].join("|"),
            ),
          ),
        ),
      ),
    );
  });
}
