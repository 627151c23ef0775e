import { describe, expect, test } from "vitest";
import { open } from "../../access/machine/open.ts";
import { action, opening } from "../../access/machine/people.testing.ts";
import type { Ask } from "../../access/request.ts";
import { loadDefaultRbacObjects, loadWorkloadCatalogue } from "../../adapters/files/catalog.ts";
import { rbacWorld, readDefaultRbac } from "../../analysis/rbac/world.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { askedRights, riskOf } from "./risk.ts";

const text = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer, namespace: ml}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: deployer, namespace: ml}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: scaler}
rules: [{apiGroups: [apps], resources: [deployments/scale], verbs: [get, patch]}]
`;
const world = {
  documents: parseDocuments(text, "world.yaml").documents,
  namespace: "default",
  complete: false,
  defaults: readDefaultRbac(loadDefaultRbacObjects()),
  catalogue: loadWorkloadCatalogue(),
};
const index = rbacWorld(world);

function riskOfAsk(ask: Ask, role?: { readonly kind: "Role" | "ClusterRole"; readonly name: string }) {
  const opened = open(opening({ ask }), 0);
  if (!opened.ok) throw new Error(opened.refused.message);
  const rights = askedRights(opened.request, role, index);
  return rights === undefined ? undefined : riskOf(world, rights);
}

const call = (more: Parameters<typeof action>[0]): Ask => ({ type: "action", action: action(more), digest: "" });
const session = (namespace: string): Ask => ({ type: "session", namespace, milliseconds: 60_000, mode: "gateway" });

describe("what asked rights could lead to", () => {
  test("to make a pod beside an account that may do everything is the whole cluster", () => {
    const risk = riskOfAsk(call({ verb: "create", name: "" }));
    expect(risk?.score).toBeGreaterThanOrEqual(95);
    expect(risk?.reasons.join()).toContain("the whole cluster");
  });

  test("the same where no such account is leads nowhere near", () => {
    const here = riskOfAsk(call({ verb: "create", name: "" }))?.score ?? 0;
    const there = riskOfAsk(call({ verb: "create", name: "", namespace: "elsewhere" }))?.score ?? 0;
    expect(there).toBeLessThan(here);
  });

  test("to look at one config map is nothing", () => {
    expect(riskOfAsk(call({ verb: "get", resource: "configmaps", name: "settings" }))).toEqual({ score: 0, reasons: [] });
  });

  test("to read one secret is less than to list all", () => {
    const one = riskOfAsk(call({ verb: "get", resource: "secrets", name: "one" }))?.score ?? 0;
    const all = riskOfAsk(call({ verb: "list", resource: "secrets", name: "" }))?.score ?? 0;
    expect([one > 0, one < all]).toEqual([true, true]);
  });

  test("a session is what its role gives in its namespace", () => {
    expect(riskOfAsk(session("ml"), { kind: "ClusterRole", name: "scaler" })?.score).toBeLessThan(50);
    expect(riskOfAsk(session("ml"), { kind: "ClusterRole", name: "admin" })?.score).toBeGreaterThanOrEqual(95);
  });

  test("a role that is not there is not known, and not nothing", () => {
    expect(riskOfAsk(session("ml"), { kind: "ClusterRole", name: "nowhere" })).toBeUndefined();
    expect(riskOfAsk(session("ml"))).toBeUndefined();
  });

  test("an exception gives no right", () => {
    const object = { apiVersion: "v1", kind: "Pod", namespace: "ml", name: "p" };
    expect(riskOfAsk({ type: "exception", policy: "p", rules: [], object, until: 1000 })).toEqual({ score: 0, reasons: [] });
  });
});
