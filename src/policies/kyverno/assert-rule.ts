import { isObject, type JsonObject, type JsonPath, member, toDotted, valueAt } from "../../core/json.ts";
import type { RuleResult } from "../policy.ts";
import { AssertionSyntaxError, type AssertionTree, compileAssertionTree } from "./assertion-tree.ts";
import { errorResult, failedWith, passed, reasonOf } from "./outcome.ts";
import type { DocumentReport } from "./report.ts";
import type { RuleBody, RuleScope, RuleSource } from "./rule-types.ts";

/** What the tree of `validate.assert` is applied to (Kyverno 1.13 to 1.18). */
function payload({ context }: RuleScope): JsonObject {
  const { action, object, oldObject } = context;
  const { actor, operation, namespaceLabels } = action;
  return {
    object: object ?? null,
    oldObject: oldObject ?? null,
    operation,
    namespaceLabels: namespaceLabels ?? {},
    admissionInfo: {
      roles: actor?.roles ?? [],
      clusterRoles: actor?.clusterRoles ?? [],
      userInfo: actor === undefined ? {} : { username: actor.user, groups: actor.groups },
    },
  };
}

/** The part of a failure's path that exists in the object: keys that are expressions end it. */
function pathInObject(path: JsonPath, scope: RuleScope): JsonPath | undefined {
  if (path[0] !== "object") return undefined;
  const found: (string | number)[] = [];
  for (const step of path.slice(1)) {
    if (valueAt(scope.context.object, [...found, step]) === undefined) break;
    found.push(step);
  }
  return found;
}

function judge(tree: AssertionTree, rule: RuleSource, scope: RuleScope): RuleResult {
  try {
    const { host, budget } = scope.context;
    const failures = tree(payload(scope), { host, budget });
    const [first] = failures;
    if (first === undefined) return passed(`Validation rule '${rule.name}' passed.`);
    const message = failures.map((f) => `${toDotted(f.path)}: ${f.message}`).join("; ");
    return { ...failedWith(message), locate: () => pathInObject(first.path, scope) };
  } catch (error) {
    return errorResult(`the assertion tree cannot be evaluated: ${reasonOf(error)}`);
  }
}

/** Compiles `validate.assert`. Kyverno dropped it in 1.19; policies written for 1.13 to 1.18 keep their meaning here. */
export function compileAssertRule(rule: RuleSource, report: DocumentReport): readonly RuleBody[] {
  const spec = member(rule.spec["validate"], "assert");
  const path = [...rule.path, "validate", "assert"];
  if (!isObject(spec)) {
    report.error("KYV_BAD_RULE", path, "must be an object");
    return [];
  }
  try {
    const tree = compileAssertionTree(spec);
    return [{ kind: "validate", evaluate: (scope) => [judge(tree, rule, scope)] }];
  } catch (error) {
    if (!(error instanceof AssertionSyntaxError)) throw error;
    report.error("KYV_BAD_RULE", [...path, ...error.path], error.message);
    return [];
  }
}
