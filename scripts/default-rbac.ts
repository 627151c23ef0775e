/**
 * Writes catalog/kubernetes/rbac-v<minor>.json: the roles and bindings that kube-apiserver creates at its start.
 * Source: Kubernetes' own record of them, pkg kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata.
 *
 *     node scripts/default-rbac.ts <testdata directory> 1.36
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isKubernetesObject } from "../src/core/kubernetes.ts";
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

const objects = files.flatMap((file) => {
  const text = readFileSync(join(directory, `${file}.yaml`), "utf8");
  return parseDocuments(text, file).documents.map(({ value }) => {
    if (!isKubernetesObject(value)) throw new Error(`${file} holds something that is no object`);
    return value;
  });
});

const target = join(import.meta.dirname, "..", "catalog", "kubernetes", `rbac-v${minor}.json`);
writeFileSync(
  target,
  `{"kubernetesVersion":${JSON.stringify(minor)},"objects":[\n${objects.map((o) => JSON.stringify(o)).join(",\n")}\n]}\n`,
);
