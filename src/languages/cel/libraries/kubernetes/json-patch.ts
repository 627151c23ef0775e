import { type Library, overload } from "../../declarations.ts";
import { stringType } from "../../types.ts";

/** One segment of a JSON pointer. Each character is escaped once: `~` first or `/` first makes no difference. */
function escapeKey(key: string): string {
  return key.replace(/[/~]/g, (char) => (char === "/" ? "~1" : "~0"));
}

export const jsonPatchLibrary: Library = {
  name: "kubernetes.jsonpatch",
  functions: [
    {
      name: "jsonpatch.escapeKey",
      overloads: [overload("string_jsonpatch_escapeKey_string", [stringType], stringType, escapeKey)],
    },
  ],
};
