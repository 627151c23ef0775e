/**
 * Writes catalog/kubernetes/rbac-v<minor>.json: the roles and bindings that kube-apiserver creates at its start.
 * Source: Kubernetes' own record of them, pkg kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata.
 *
 *     node scripts/default-rbac.ts <testdata directory> 1.36
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isKubernetesObject, type KubernetesObject } from "../src/core/kubernetes.ts";
import { parseDocuments } from "../src/core/yaml/parse-documents.ts";

const [directory, minor] = process.argv.slice(2);
if (directory === undefined || minor === undefined) throw new Error("usage: default-rbac.ts <testdata directory> <minor>");

const files = [
  "cluster-roles",
  "controller-roles",
  "namespace-roles",
  "cluster-role-bindings",
  "controller-role-bindings",
  "namespace-role-bindings",
];

function objectsOf(file: string): KubernetesObject[] {
  const text = readFileSync(join(directory ?? "", `${file}.yaml`), "utf8");
  return parseDocuments(text, file).documents.map(({ value }) => {
    if (!isKubernetesObject(value)) throw new Error(`${file} holds something that is no object`);
    return value;
  });
}

const lines = (objects: readonly KubernetesObject[]) => `[\n${objects.map((o) => JSON.stringify(o)).join(",\n")}\n]`;

const objects = files.flatMap(objectsOf);
const known = new Set(objects.map((o) => JSON.stringify(o)));
// With feature gates that are off by default some roles hold more.
const gated = objectsOf("cluster-roles-featuregates").filter((o) => !known.has(JSON.stringify(o)));

const target = join(import.meta.dirname, "..", "catalog", "kubernetes", `rbac-v${minor}.json`);
writeFileSync(target, `{"kubernetesVersion":${JSON.stringify(minor)},"objects":${lines(objects)},"gated":${lines(gated)}}\n`);
