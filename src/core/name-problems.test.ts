import { expect, test } from "vitest";
import {
  asPrefix,
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  labelValueProblems,
  type NameCheck,
  qualifiedNameProblems,
} from "./name-problems.ts";

test.each<readonly [string, NameCheck, string, readonly string[]]>([
  ["a label", dnsLabelProblems, "web-1", []],
  ["a label", dnsLabelProblems, "a.b", ["must not contain dots"]],
  ["a label", dnsLabelProblems, "x".repeat(64), ["must be no more than 63 characters"]],
  ["a label", dnsLabelProblems, "Web", ["a lowercase RFC 1123 label"]],
  ["a subdomain", dnsSubdomainProblems, "a.b-c", []],
  ["a subdomain", dnsSubdomainProblems, "a..b", ["a lowercase RFC 1123 subdomain"]],
  ["an RFC 1035 label", dns1035LabelProblems, "1a", ["a DNS-1035 label"]],
  ["a label value", labelValueProblems, "", []],
  ["a label value", labelValueProblems, "é", ["a valid label must be an empty string"]],
  ["a label value", labelValueProblems, "é".repeat(32), ["must be no more than 63 bytes", "a valid label"]],
  ["a key", qualifiedNameProblems, "a.io/b", []],
  ["a key", qualifiedNameProblems, "a/b/c", ["a valid label key"]],
  ["a key", qualifiedNameProblems, "/b", ["prefix part must be non-empty"]],
  ["a key", qualifiedNameProblems, "A/", ["prefix part a lowercase", "name part must be non-empty", "name part must consist"]],
  ["a prefix", asPrefix(dnsLabelProblems), "web-", []],
  ["a prefix", asPrefix(dnsLabelProblems), "-", ["a lowercase RFC 1123 label"]],
])("%s: %j", (_, check, name, expected) => {
  const problems = check(name);
  expect(problems).toHaveLength(expected.length);
  for (const [i, problem] of problems.entries()) expect(problem).toContain(expected[i]);
});
