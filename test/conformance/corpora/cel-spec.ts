import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { runSpecCase } from "../cel/spec-case.ts";
import type { Case, Corpus } from "../corpus.ts";

/** Suites within suites, down to the cases. */
function* packagedCases(suite: JsonValue | undefined, path: string): Iterable<Case> {
  if (!isObject(suite)) return;
  const name = `${path}/${String(suite["name"])}`;
  for (const inner of isArray(suite["suites"]) ? suite["suites"] : []) yield* packagedCases(inner, name);
  for (const [i, test] of (isArray(suite["tests"]) ? suite["tests"] : []).entries()) {
    const row: JsonValue | undefined = isObject(test) ? test["original"] : undefined;
    if (isObject(row)) yield { id: `${name}/${i}:${String(row["name"])}`, run: () => runSpecCase(row) };
  }
}

function rowsOf(text: string): readonly JsonObject[] {
  const rows: JsonValue = JSON.parse(text);
  return isArray(rows) ? rows.filter(isObject) : [];
}

/** The official cases of cel-spec: those of a directory, and all that the npm package carries. */
export const corpus: Corpus = {
  name: "cel-spec",
  async *cases(directory) {
    for (const file of (await readdir(directory)).filter((name) => name.endsWith(".json")).sort()) {
      for (const row of rowsOf(await readFile(join(directory, file), "utf8"))) {
        yield { id: String(row["id"]), run: () => runSpecCase(row) };
      }
    }
    // The package's data is plain JSON in a module.
    const packaged: JsonValue = JSON.parse(JSON.stringify(tests));
    yield* packagedCases(packaged, "package");
  },
};
