import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { formatIssue } from "../issue.ts";
import { compileSources } from "../program.ts";

interface Case {
  readonly module: string;
  /** `line: code: message` of each error, the first line of the message; recorded from `opa check` 1.22.2. */
  readonly errors: readonly string[];
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL("issues.cases.json", import.meta.url), "utf8"));

test.each(cases)("$module", ({ module, errors }) => {
  const compiled = compileSources([{ file: "test.rego", source: `${module}\n` }]);
  const issues = compiled.ok ? [] : compiled.issues;
  expect(issues.map((issue) => formatIssue(issue).split("\n")[0]?.replace("test.rego:", ""))).toEqual(errors);
});

test("strict mode refuses what nothing uses", () => {
  const source = "package a\nimport data.foo\nf(x) := 1\np if { y := 1 }\n";
  const compiled = compileSources([{ file: "m", source }], { strict: true });
  expect(compiled.ok ? [] : compiled.issues.map(formatIssue)).toEqual([
    "m:2: rego_compile_error: import data.foo unused",
    "m:3: rego_compile_error: unused argument x. (hint: use _ (wildcard variable) instead)",
    "m:4: rego_compile_error: assigned var y unused",
  ]);
});

test("details of type errors", () => {
  const compiled = compileSources([{ file: "m", source: 'package a\np if { startswith(1, "a") }\nq if { count(1, 2, 3) }\n' }]);
  expect(compiled.ok ? [] : compiled.issues.map(({ message }) => message)).toEqual([
    "count: arity mismatch\n\thave: (number, number, number)\n\twant: (collection: any<string, array[any], object[any: any], set[any]>)",
  ]);
});
