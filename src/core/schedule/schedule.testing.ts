import type { JsonObject } from "../json.ts";
import type { SourceDocument } from "../source.ts";

/** A document of `castellan.dev` as tests write it, without positions. */
export function documentOf(kind: string, name: string, spec: JsonObject): SourceDocument {
  return {
    file: `${name}.yaml`,
    index: 0,
    value: { apiVersion: "castellan.dev/v1alpha1", kind, metadata: { name }, spec },
    locate: () => undefined,
    locateKey: () => undefined,
  };
}
