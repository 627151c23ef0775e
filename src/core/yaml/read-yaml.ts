import { failed, type Loaded, loaded } from "../diagnostic.ts";
import type { JsonValue } from "../json.ts";
import { compose, type PlainWords, YamlError } from "./compose.ts";
import { KeyCache } from "./key-cache.ts";
import { splitDocuments } from "./split.ts";
import { isUsualText, readUsual } from "./usual-reader.ts";

/**
 * The first document of a text that is no file, as sigs.k8s.io/yaml reads it; no document at all is null. Unlike
 * `parseDocuments` it does not end the last line, as the readers of files do, so that a block scalar there may end
 * without a break.
 */
export function readYaml(text: string, words: PlainWords = "yaml-1.1"): Loaded<JsonValue> {
  const [chunk] = splitDocuments(text);
  if (chunk === undefined) return loaded(null);
  const isKubernetes = words === "yaml-1.1";
  const usual =
    isKubernetes && text.endsWith("\n") && isUsualText(text)
      ? readUsual(text, chunk.start, chunk.end, new KeyCache())
      : undefined;
  if (usual !== undefined) return loaded(usual);
  try {
    return loaded(compose(text.slice(chunk.start, chunk.end), words).values[0] ?? null);
  } catch (error) {
    if (error instanceof YamlError) return failed({ code: error.code, severity: "error", message: error.message });
    throw error;
  }
}
