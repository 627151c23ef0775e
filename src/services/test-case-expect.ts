import { asString, isArray, isObject, type JsonValue, member } from "../core/json.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import type { Decision, PolicyResult } from "../engine/index.ts";
import { compareObjects, isSameObject } from "./test-compare.ts";

const speaksFor = (rule: string) => (result: PolicyResult) =>
  [rule, `autogen-${rule}`, `autogen-cronjob-${rule}`].includes(result.rule.name);

const isObjection = ({ result }: PolicyResult): boolean => result.status === "fail" || result.status === "error";

function allowedProblem(expect: JsonValue | undefined, decision: Decision): string | undefined {
  const wanted = member(expect, "allowed");
  const objections = decision.results.filter(isObjection);
  if (wanted === true && objections.length > 0) {
    return `want allowed, but ${[...new Set(objections.map(({ rule }) => rule.name))].join(", ")} objected`;
  }
  return wanted === false && objections.length === 0 ? "want denied, but no rule objected" : undefined;
}

/** The rule has to have spoken: with the wanted status, or by objecting where the case wants a denial. */
function ruleProblem(expect: JsonValue | undefined, decision: Decision): string | undefined {
  const rule = asString(member(expect, "rule"));
  const status = asString(member(expect, "status"));
  const message = asString(member(expect, "message"));
  const denial = member(expect, "allowed") === false;
  const spoken = rule === undefined ? decision.results : decision.results.filter(speaksFor(rule));
  const name = rule === undefined ? "no rule" : `rule ${rule}`;
  if (rule !== undefined && spoken.length === 0) return `rule ${rule} said nothing`;
  const asWanted = spoken.filter((r) => (status === undefined ? !denial || isObjection(r) : r.result.status === status));
  const got = [...new Set(spoken.map((r) => r.result.status))].join(", ");
  if ((status !== undefined || (denial && rule !== undefined)) && asWanted.length === 0) {
    return `${rule === undefined ? "no rule says" : `${name} says ${got}, not`} ${status ?? "fail"}`;
  }
  if (message === undefined || asWanted.some((r) => r.result.message.includes(message))) return undefined;
  const said = asWanted.map((r) => JSON.stringify(r.result.message)).join(", ");
  return `no message holds ${JSON.stringify(message)}, but there is ${said}`;
}

function objectProblem(expect: JsonValue | undefined, decision: Decision): string | undefined {
  const expected = member(expect, "object");
  if (!isKubernetesObject(expected) || decision.object === undefined) {
    return isObject(expected) ? "expect.object needs apiVersion and kind" : undefined;
  }
  const problem = compareObjects(decision.object, expected);
  return problem === undefined ? undefined : `the object is another: ${problem}`;
}

function generatedProblem(expect: JsonValue | undefined, decision: Decision): string | undefined {
  const wanted = member(expect, "generated");
  if (!isArray(wanted)) return undefined;
  const generated = decision.results.flatMap(({ result }) => result.generated ?? []);
  for (const expected of wanted) {
    if (!isKubernetesObject(expected)) return "expect.generated needs objects with apiVersion and kind";
    const found = generated.find((object) => isSameObject(object, expected));
    if (found === undefined) return `${expected.kind} ${asString(member(expected.metadata, "name"))} was not generated`;
    const problem = compareObjects(found, expected);
    if (problem !== undefined) return `the generated object is another: ${problem}`;
  }
  return generated.length === wanted.length ? undefined : `${generated.length} objects were generated, not ${wanted.length}`;
}

/** Everything in which a decision is not as a case expects it. */
export function expectationProblems(expect: JsonValue | undefined, decision: Decision): readonly string[] {
  return [allowedProblem, ruleProblem, objectProblem, generatedProblem]
    .map((check) => check(expect, decision))
    .filter((problem) => problem !== undefined);
}
