import { isArray, type JsonValue, member } from "../../../core/json.ts";
import type { GroupVersionKind } from "../../../core/kubernetes.ts";
import { fields, list, type Shape } from "../../kyverno/shape.ts";

const strings = list("string");

/** `applyTo` of mutators and ExpansionTemplates. */
export const applyToShape: Shape = list(fields({ groups: strings, versions: strings, kinds: strings, operations: strings }));

const textsOf = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((item) => typeof item === "string") : [];

const part = (entry: JsonValue, name: string): readonly string[] => textsOf(member(entry, name));

/** Whether an entry names the kind; there are no wildcards. */
export function appliesToKind(entry: JsonValue, { group, version, kind }: GroupVersionKind): boolean {
  return (
    part(entry, "groups").includes(group) && part(entry, "versions").includes(version) && part(entry, "kinds").includes(kind)
  );
}

/** What mutators can be about. */
export const mutatedOperations = ["CREATE", "UPDATE"] as const;

/** Whether an entry is about the operation; one that is not known must not be ruled out by any. */
export function appliesToOperation(entry: JsonValue, operation: string): boolean {
  const named = part(entry, "operations");
  const all = named.length === 0 || named.includes("*");
  if (operation === "") return all || mutatedOperations.every((one) => named.includes(one));
  return mutatedOperations.some((one) => one === operation) && (all || named.includes(operation));
}

/** The kinds and operations of an entry, one text each. */
export function bindingsOf(entry: JsonValue): readonly string[] {
  return part(entry, "groups").flatMap((group) =>
    part(entry, "versions").flatMap((version) =>
      part(entry, "kinds").flatMap((kind) =>
        mutatedOperations
          .filter((operation) => appliesToOperation(entry, operation))
          .map((operation) => `${group}/${version}/${kind} ${operation}`),
      ),
    ),
  );
}

/** Why the operations of entries make no sense; undefined: they do. */
export function operationsProblem(entries: readonly JsonValue[]): string | undefined {
  for (const entry of entries) {
    const named = part(entry, "operations");
    const unknown = named.find((name) => name !== "*" && !mutatedOperations.some((one) => one === name));
    if (unknown !== undefined) return `operation ${JSON.stringify(unknown)} is none of CREATE, UPDATE, *`;
    if (new Set(named).size < named.length) return "an operation is named twice";
    if (named.includes("*") && named.length > 1) return 'the operation "*" must stand alone';
  }
  return undefined;
}

/** Why entries cannot be bound to kinds; undefined: they can. */
export function bindingProblem(entries: readonly JsonValue[]): string | undefined {
  if (entries.length === 0) return "applyTo is required";
  const open = entries.some((entry) => ["groups", "versions", "kinds"].some((name) => part(entry, name).length === 0));
  return open ? "applyTo needs groups, versions and kinds" : operationsProblem(entries);
}
