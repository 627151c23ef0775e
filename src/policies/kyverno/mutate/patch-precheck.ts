import { isArray, type JsonValue, member } from "../../../core/json.ts";
import { fromMergeNode, kindOf, type MergeMap, type MergeNode } from "../../../core/strategic-merge-node.ts";
import { type Anchor, parseAnchor } from "../anchor.ts";
import { compilePattern } from "../pattern.ts";
import { comparable, hasAnchor, isCondition, isPatchAnchor } from "./patch-conditions.ts";

/** Whether the conditions of a patch fail on an object; false: only resolving them tells. */
export type PatchPrecheck = (object: JsonValue) => boolean;

type Check = (value: JsonValue | undefined) => "fails" | "holds" | "unknown";

const cannotTell: Check = () => "unknown";

/**
 * Most objects do not meet the conditions of a patch, and most such patches need not be changed to see that: this asks
 * conditions of objects, and lists whose items stand under `<(key)`, in the order in which they are resolved, and stops
 * where anything else could go wrong first.
 */
export function compilePrecheck(patch: MergeMap): PatchPrecheck {
  const checks = checksOf(patch);
  return (object) => firstOutcome(checks, object) === "fails";
}

function firstOutcome(checks: readonly Check[], value: JsonValue | undefined): ReturnType<Check> {
  for (const check of checks) {
    const outcome = check(value);
    if (outcome !== "holds") return outcome;
  }
  return "holds";
}

function checksOf(map: MergeMap): readonly Check[] {
  const members = [...map].map(([written, value]) => ({ anchor: parseAnchor(written), key: written, value }));
  return [
    ...members.flatMap(({ anchor, value }) =>
      anchor !== undefined && isCondition(anchor) ? conditionChecks(anchor, value) : [],
    ),
    ...members.flatMap(({ anchor, key, value }): readonly Check[] => {
      if (isCondition(anchor)) return [];
      // What is added may stand in the place of a member, or have conditions of its own.
      if (anchor?.kind === "add") return map.has(anchor.key) || hasAnchor(value, isPatchAnchor) ? [cannotTell] : [];
      return checksOfMember(value).map(
        (check): Check =>
          (object) =>
            check(member(object, key)),
      );
    }),
  ];
}

/** Conditions that add something first are not asked. */
function conditionChecks({ key }: Anchor, condition: MergeNode): readonly Check[] {
  if (condition instanceof Map && [...condition.keys()].some((inner) => parseAnchor(inner)?.kind === "add")) return [];
  const matches = compilePattern(comparable(fromMergeNode(condition)));
  return [
    (object) => {
      const value = member(object, key);
      return value !== undefined && matches(comparable(value)).status === "pass" ? "holds" : "fails";
    },
  ];
}

function checksOfMember(value: MergeNode): readonly Check[] {
  if (value instanceof Map) return checksOf(value);
  if (!Array.isArray(value) || !(value[0] instanceof Map)) return [];
  return [fitsList, ...value.filter((element) => hasAnchor(element, isPatchAnchor)).map(elementCheck)];
}

/** What is no list stops the patch with an error. */
const fitsList: Check = (value) => (isArray(value) || kindOf(value) === undefined ? "holds" : "unknown");

/** An element all of whose conditions are global asks that one item meets them, or that there is none. */
function elementCheck(element: MergeNode): Check {
  if (!(element instanceof Map) || hasAnchor(element, (anchor) => anchor?.kind === "condition")) return cannotTell;
  const checks = checksOf(element);
  return (list) => {
    if (list === undefined) return firstOutcome(checks, undefined);
    if (!isArray(list)) return "holds";
    const outcomes = list.map((item) => firstOutcome(checks, item));
    if (outcomes.includes("unknown")) return "unknown";
    return outcomes.length === 0 || outcomes.includes("holds") ? "holds" : "fails";
  };
}
