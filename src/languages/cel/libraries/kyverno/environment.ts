import type { Library } from "../../declarations.ts";
import { bindingsLibrary } from "../bindings.ts";
import { encodersLibrary } from "../encoders.ts";
import { mathLibrary } from "../math.ts";
import { regexLibrary } from "../regex.ts";
import { imageLibrary } from "./image.ts";
import { globalContextLibrary, httpLibrary, imageDataLibrary } from "./network.ts";
import { type ResourceNames, resourceLibrary } from "./resource.ts";
import { textLibrary } from "./text.ts";
import { valueLibrary } from "./values.ts";

/** What Kyverno's CEL policies have beyond Kubernetes' expressions; `namespace` is that of a namespaced policy. */
export function kyvernoLibraries(namespace: string, plurals: ResourceNames): readonly Library[] {
  return [
    bindingsLibrary,
    encodersLibrary,
    mathLibrary(2),
    regexLibrary,
    resourceLibrary(namespace, plurals),
    httpLibrary(namespace),
    globalContextLibrary(namespace),
    imageLibrary,
    imageDataLibrary,
    textLibrary,
    valueLibrary,
  ];
}
