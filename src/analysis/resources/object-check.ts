import type { ApiResources } from "../../core/api-resources.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import type { LintIssue } from "./issue.ts";
import type { ObjectDocument, ScannedSet } from "./scanned-set.ts";

export interface LintContext {
  readonly schemas: KubernetesSchemas;
  readonly resources: ApiResources;
  /** Whether every resource of an API group is known: built-in groups, and all groups where discovery was asked. */
  knowsGroup(group: string): boolean;
  readonly set: ScannedSet;
  /** Where custom kinds hold pods; undefined: only built-in kinds are looked into. */
  readonly workloads: WorkloadCatalogue | undefined;
}

/** Judges one whole object of one of its kinds, with the rest of the set at hand. */
export interface ObjectCheck {
  /** `group/Kind`; undefined: every kind. */
  readonly kinds?: readonly string[];
  /** Also judges patches, which are parts of objects. */
  readonly judgesParts?: true;
  /** What it says of an object depends on others: where objects are judged one by one, it waits for all of them. */
  readonly looksAround?: true;
  check(object: KubernetesObject, context: LintContext, document: ObjectDocument): readonly LintIssue[];
}
