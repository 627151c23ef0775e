import type { Finding } from "../../core/finding.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { Unreached } from "../live/cluster-reach.ts";
import type { FlowPage } from "../live/live-flows.ts";
import type { HeldWebhooks } from "../live/webhook-registration.ts";
import type { PolicyRow } from "./policy-view.ts";
import type { RightsView } from "./rights-view.ts";

/** One cluster, or a set of files, as pages see it; each answers from memory. */
export interface ClusterView {
  readonly name: string;
  /** Why what is shown is not what is there now; undefined where the cluster answers. */
  unreached(): Unreached | undefined;
  /** Whether everything has been looked at once; nothing can be said of it before. */
  isKnown(): boolean;
  /** Another server judges at admission; undefined where we do, or nobody. */
  webhooksHeld(): HeldWebhooks | undefined;
  /** How many objects are under review. */
  objects(): number;
  findings(): Iterable<Finding>;
  /** The object that a finding is about; undefined where it is gone. */
  objectOf(finding: Finding): KubernetesObject | undefined;
  policies(): readonly PolicyRow[];
  /** Names of policies whose newest text does not compile. */
  brokenPolicies(): readonly string[];
  readonly rights: RightsView;
  /** What the network was seen to do lately, beside what the policies say. */
  flows(): FlowPage;
  /** A self-contained HTML document. */
  networkPage(): string;
}
