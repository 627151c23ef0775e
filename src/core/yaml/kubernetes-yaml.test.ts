import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { jsonEquals } from "../json.ts";
import { JsonReader } from "./json-text.ts";
import { parseDocuments } from "./parse-documents.ts";
import { readYaml } from "./read-yaml.ts";

interface Case {
  readonly yaml: string;
  /** What sigs.k8s.io/yaml makes of it; recorded by test/oracles/yaml. */
  readonly json?: string;
  readonly error?: string;
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL("kubernetes-yaml.cases.json", import.meta.url), "utf8"));

/** What YAML 1.2 reads and go-yaml, which knows 1.1, refuses. */
const accepted = new Set(['a: "\\/"\n']);
/** What go-yaml reads, against all versions of YAML, and we refuse. */
const refused = new Set(['"a":b\n']);

test.each(cases)("$yaml", ({ yaml, json }) => {
  const parsed = parseDocuments(yaml, "t");
  const errors = parsed.diagnostics.filter((d) => d.severity === "error").map((d) => d.message);
  const single = readYaml(yaml);
  expect(single.ok).toBe(errors.length === 0);
  if (json === undefined || refused.has(yaml)) {
    const outcome = errors.length > 0 || accepted.has(yaml) ? "refused" : parsed.documents.map((d) => d.value);
    expect(outcome).toBe("refused");
  } else {
    expect(errors).toEqual([]);
    const expected = new JsonReader(json).next()?.value ?? null;
    const value = parsed.documents[0]?.value ?? null;
    expect(jsonEquals(value, expected) ? expected : value).toEqual(expected);
    expect(single.ok && jsonEquals(single.value, value)).toBe(true);
  }
});
