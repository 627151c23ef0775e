import type { JsonPath } from "../json.ts";
import type { PathPattern } from "./path-pattern.ts";

/** Where one part of a pod comes from. */
export interface PartSource {
  /** From the root of the object, else from the base of the pod. */
  readonly fromRoot: boolean;
  readonly pattern: PathPattern;
  /** Name of a container that carries none. */
  readonly name: string | undefined;
  /** From the root: the source counts only where this is `true`. */
  readonly when: PathPattern | undefined;
  /** The controller adds the container even where nothing is written about it. */
  readonly implied: boolean;
  /** Fields of the place that are not the container's own. */
  readonly omit: readonly string[];
  /** The place holds a size as a JVM takes it, which becomes a quantity; this one counts where it holds none. */
  readonly jvm: string | undefined;
}

/**
 * A part of the effective pod spec. Lists of containers and volumes join what the base itself holds and what all sources
 * do; any other part is the first source that is present.
 */
export interface PodPart {
  readonly target: JsonPath;
  readonly sources: readonly PartSource[];
}

/** Where objects of one kind hold pods, and how a pod is put together there. */
export interface PodRule {
  /** What the pod is for: `head`, `worker`; `*` is the name of the matched member. */
  readonly role: string;
  /** A PodTemplateSpec, a PodSpec, or neither: then all that counts are the parts. */
  readonly shape: "template" | "spec" | "parts";
  readonly base: PathPattern;
  readonly parts: readonly PodPart[];
  readonly labels: readonly PartSource[];
  readonly annotations: readonly PartSource[];
  /** Who adds what is absent here before a pod is made; undefined: the pod is made as written. */
  readonly completedBy: string | undefined;
  /** Completed only where one of these is present; empty: always. */
  readonly completedWhen: readonly PartSource[];
}

/** Where objects of one kind hold pods. */
export interface KindRule {
  readonly pods: readonly PodRule[];
  /** Whole Kubernetes objects inside the object, to be looked into by their own kind. */
  readonly objects: readonly PathPattern[];
}

/** What is known about kinds that make pods. Keys are `group/kind`; the core group is empty: `/Pod`. */
export interface WorkloadCatalogue {
  readonly kinds: ReadonlyMap<string, KindRule>;
  /** Groups whose other kinds hold no pods, though some hold text or patterns that look like one. */
  readonly groupsWithout: ReadonlySet<string>;
  /** Kinds that hold no pods though they may look it. */
  readonly kindsWithout: ReadonlySet<string>;
  /** Kinds whose objects belong to no namespace, even if they name one. */
  readonly clusterScoped: ReadonlySet<string>;
}

export function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}
