import type { JsonObject } from "../json.ts";
import type { SourceDocument } from "../source.ts";

/** A document of `castellan.dev` as tests write it: all of it stands at the beginning of a file of its own. */
export function documentOf(kind: string, name: string, spec: JsonObject): SourceDocument {
  const start = { offset: 0, line: 1, column: 1 };
  const locate = () => ({ file: `${kind}-${name}.yaml`, start, end: start });
  return {
    file: `${name}.yaml`,
    index: 0,
    value: { apiVersion: "castellan.dev/v1alpha1", kind, metadata: { name }, spec },
    locate,
    locateKey: locate,
  };
}
