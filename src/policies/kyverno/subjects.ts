import type { Subject } from "../../core/action.ts";
import { asString, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import type { DocumentReport } from "./report.ts";

type SubjectPredicate = (actor: Subject) => boolean;

function compileSubject(subject: JsonValue, path: JsonPath, report: DocumentReport): SubjectPredicate {
  const kind = asString(member(subject, "kind")) ?? "";
  const name = asString(member(subject, "name")) ?? "";
  const namespace = asString(member(subject, "namespace")) ?? "";
  switch (kind) {
    case "ServiceAccount": {
      const user = `system:serviceaccount:${namespace}:${name}`;
      return (actor) => matchWildcard(user, actor.user);
    }
    case "Group":
      return (actor) => actor.groups.some((group) => matchWildcard(name, group));
    case "User":
      return (actor) => matchWildcard(name, actor.user);
    default:
      report.error("KYV_BAD_MATCH", [...path, "kind"], `${JSON.stringify(kind)} is not one of User, Group, ServiceAccount`);
      return () => false;
  }
}

/** Whether the actor is one of the subjects (rbac.authorization.k8s.io form); names may hold wildcards. */
export function compileSubjects(subjects: readonly JsonValue[], path: JsonPath, report: DocumentReport): SubjectPredicate {
  const compiled = subjects.map((subject, i) => compileSubject(subject, [...path, i], report));
  return (actor) => compiled.some((matches) => matches(actor));
}
