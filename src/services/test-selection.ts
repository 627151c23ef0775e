import { failed, type Loaded, loaded } from "../core/diagnostic.ts";
import { matchWildcard } from "../core/wildcard.ts";
import type { TestEntry } from "./test-spec.ts";

/** Leaves out an expectation (undefined), or narrows it to the selected resources. */
export type TestSelection = <E extends Pick<TestEntry, "policy" | "rule" | "resources">>(entry: E) => E | undefined;

/** Everything. */
export const allTests: TestSelection = (entry) => entry;

const keys = ["policy", "rule", "resource"] as const;

function problem(part: string) {
  return failed({
    code: "TEST_INVALID",
    severity: "error",
    message: `${JSON.stringify(part)} is no selection: write policy=NAME, rule=NAME or resource=NAME, separated by commas`,
  });
}

/** Parses `policy=*,rule=check-*,resource=good`: names may hold the wildcards `*` and `?`. */
export function parseSelection(text: string): Loaded<TestSelection> {
  const wanted = { policy: "*", rule: "*", resource: "*" };
  for (const part of text.split(",")) {
    const [name = "", value, ...rest] = part.split("=").map((s) => s.trim());
    const key = keys.find((k) => k === name);
    if (key === undefined || value === undefined || rest.length > 0) return problem(part);
    wanted[key] = value;
  }
  return loaded((entry) => {
    if (!matchWildcard(wanted.policy, entry.policy)) return undefined;
    if (entry.rule !== "" && !matchWildcard(wanted.rule, entry.rule)) return undefined;
    if (wanted.resource === "*") return entry;
    if (entry.resources.length === 0) return { ...entry, resources: [wanted.resource] };
    const resources = entry.resources.filter((name) => matchWildcard(wanted.resource, name));
    return resources.length === 0 ? undefined : { ...entry, resources };
  });
}
