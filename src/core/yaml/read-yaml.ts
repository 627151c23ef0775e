import { failed, type Loaded, loaded } from "../diagnostic.ts";
import type { JsonValue } from "../json.ts";
import { compose, YamlError } from "./compose.ts";

/**
 * The first document of a text that is no file, as sigs.k8s.io/yaml reads it; no document at all is null. Unlike
 * `parseDocuments` it does not end the last line, as the readers of files do, so that a block scalar there may end
 * without a break.
 */
export function readYaml(text: string): Loaded<JsonValue> {
  try {
    return loaded(compose(text).values[0] ?? null);
  } catch (error) {
    if (error instanceof YamlError) return failed({ code: error.code, severity: "error", message: error.message });
    throw error;
  }
}
