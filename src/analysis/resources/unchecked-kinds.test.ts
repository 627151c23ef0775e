import { expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { uncheckedKinds } from "./unchecked-kinds.ts";

const object = (apiVersion: string, kind: string, more = "") =>
  `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: x}${more}}`;
const crd = object(
  "apiextensions.k8s.io/v1",
  "CustomResourceDefinition",
  ", spec: {group: a.example, names: {kind: Known, plural: knowns}, scope: Cluster, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}",
);

test.each<[string, readonly string[], readonly [string, number][]]>([
  ["built-in kinds", [object("v1", "Pod"), object("apps/v1", "Deployment")], []],
  ["kinds that are gone", [object("policy/v1beta1", "PodSecurityPolicy"), object("apps/v1beta1", "Deployment")], []],
  ["a built-in kind under a wrong version", [object("apps/v9", "Deployment")], []],
  ["files of the API server", [object("audit.k8s.io/v1", "Policy")], []],
  ["a kind that a CustomResourceDefinition describes", [crd, object("a.example/v1", "Known")], []],
  ["another version of it", [crd, object("a.example/v2", "Known")], [["a.example/v2 Known", 1]]],
  ["a kind that Kubernetes does not have", [object("v1", "Gadget")], [["v1 Gadget", 1]]],
  [
    "several kinds, by name",
    [object("b.example/v1", "B"), object("a.example/v1", "A"), object("b.example/v1", "B"), "just text"],
    [
      ["a.example/v1 A", 1],
      ["b.example/v1 B", 2],
    ],
  ],
])("%s", (_, texts, expected) => {
  const { documents } = parseDocuments(texts.join("\n---\n"), "x.yaml");
  const found = uncheckedKinds(documents, loadKubernetesSchemas());
  expect(found.map(({ kind, objects }) => [kind, objects])).toEqual(expected);
});
