import { formatImage, parseImageReference, withDefaultRegistry } from "../../../src/core/image-reference.ts";
import type { JsonValue } from "../../../src/core/json.ts";
import { expectJson, failure, type Outcome } from "../corpus.ts";
import { expectEqual, field, type RowJudges, text } from "./row.ts";

/** `registry/path:tag` and the usual form, `registry/path@digest` where there is a digest. */
function references(row: JsonValue): readonly [string, string] | string {
  const image = parseImageReference(text(field(row, "input")));
  if (!image.ok) return image.message;
  const { registry, path, tag } = image.value;
  return [`${registry}/${path}:${tag}`, formatImage(image.value)];
}

function both(row: JsonValue): Outcome {
  const found = references(row);
  if (typeof found === "string") return failure(found);
  return expectJson(found, [field(row, "expectedReferenceWithTag"), field(row, "expectedReference")]);
}

function tagged(row: JsonValue): Outcome {
  const found = references(row);
  return typeof found === "string" ? failure(found) : expectEqual(found[0], field(row, "expected"));
}

/** Images are always read with the default registry; whether it is shown is a setting that we leave at its default. */
export const imageRows: RowJudges = {
  "utils_image/Test_ReferenceWithTag": tagged,
  "utils_image/Test_ReferenceAndReferenceWithTag": both,
  "utils_image/Test_addDefaultRegistry": (row) => expectEqual(withDefaultRegistry(text(field(row, "input"))), field(row, "want")),
};
