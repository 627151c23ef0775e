import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { Position, SourceDocument } from "../../core/source.ts";

/** Whether a file holds Rego. Tests of policies are none themselves. */
export function isRegoPolicyName(name: string): boolean {
  return name.endsWith(".rego") && !name.endsWith("_test.rego");
}

/** A Rego module as an object, so that it is a policy among others. */
export function regoDocument(file: string, source: string): SourceDocument<KubernetesObject> {
  const start: Position = { offset: 0, line: 1, column: 1 };
  return {
    file,
    index: 0,
    value: { apiVersion: "castellan.dev/v1alpha1", kind: "RegoPolicy", metadata: { name: file }, spec: { rego: source } },
    locate: () => ({ file, start, end: start }),
    locateKey: () => undefined,
  };
}
