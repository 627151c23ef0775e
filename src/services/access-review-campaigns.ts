import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import type { Instant } from "../core/host.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import {
  bindingsToReview,
  decideReview,
  lastUses,
  type ReviewDecision,
  type ReviewedBinding,
  type ReviewId,
  reviewState,
  startReview,
} from "./access-reviews.ts";

/** A review as one row of a list. */
export interface ReviewRow extends ReviewId {
  readonly began: Instant;
  readonly bindings: number;
  readonly decided: number;
}

export type ReviewOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: ReviewRefusal; readonly message: string };
export type ReviewRefusal = "REVIEW_UNKNOWN" | "REVIEW_NOT_OWNER";

/** Whoever decides; an administrator may for every owner. */
export interface Reviewer {
  readonly name: string;
  readonly groups: readonly string[];
  readonly isAdministrator: boolean;
}

export interface AccessReviewOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  /** The objects of a cluster that is governed here; undefined for another. */
  readonly objectsOf: (cluster: string) => readonly KubernetesObject[] | undefined;
  readonly now: () => Instant;
}

/** Access reviews of a running server. */
export class AccessReviews {
  readonly #options: AccessReviewOptions;

  constructor(options: AccessReviewOptions) {
    this.#options = options;
  }

  /** Newest first. */
  async list(): Promise<readonly ReviewRow[]> {
    const rows = await this.#options.store.reading
      .selectFrom("ledger_records")
      .where("kind", "in", ["review.started", "review.decided"])
      .select([
        "cluster",
        "resource",
        "kind",
        ({ fn }) => fn.min("at").as("began"),
        ({ fn }) => fn.count("name").distinct().as("n"),
      ])
      .groupBy(["cluster", "resource", "kind"])
      .execute();
    const decided = new Map(rows.filter(({ kind }) => kind === "review.decided").map((row) => [keyOf(row), Number(row.n)]));
    return rows
      .filter(({ kind }) => kind === "review.started")
      .map((row) => ({
        cluster: row.cluster,
        name: (row.resource ?? "").slice("reviews/".length),
        began: Number(row.began),
        bindings: Number(row.n),
        decided: decided.get(keyOf(row)) ?? 0,
      }))
      .sort((a, b) => b.began - a.began || (a.name < b.name ? -1 : 1));
  }

  /** Empty where there is no such review. */
  state(review: ReviewId): Promise<readonly ReviewedBinding[]> {
    return reviewState(this.#options.store.reading, review);
  }

  /** Begins a review, or takes up bindings that are new; answers how many. Undefined: the cluster is not governed here. */
  async start(review: ReviewId, by: string, usesSince: Instant): Promise<number | undefined> {
    const { store, ledger, objectsOf, now } = this.#options;
    const objects = objectsOf(review.cluster);
    if (objects === undefined) return undefined;
    const uses = await lastUses(store.reading, review.cluster, usesSince);
    return startReview(ledger, review, bindingsToReview(objects, uses), by, now());
  }

  /** Records a decision by the binding's owner, or by an administrator. Nothing is deleted. */
  async decide(
    review: ReviewId,
    binding: string,
    by: Reviewer,
    decision: { readonly what: ReviewDecision; readonly reason: string },
  ): Promise<ReviewOutcome> {
    const found = (await this.state(review)).find((reviewed) => reviewed.binding === binding);
    if (found === undefined) {
      const message = `${binding} is not in the review ${review.name} of ${review.cluster}`;
      return { ok: false, code: "REVIEW_UNKNOWN", message };
    }
    if (!mayDecideReview(found, by)) {
      const owner = found.owner === undefined ? "nobody is named as its owner" : `its owner is ${found.owner}`;
      return {
        ok: false,
        code: "REVIEW_NOT_OWNER",
        message: `only the owner or an administrator decides on ${binding}: ${owner}`,
      };
    }
    await decideReview(this.#options.ledger, review, binding, { ...decision, by: by.name, at: this.#options.now() });
    return { ok: true };
  }
}

/** Owners are users or groups, by exact name. */
export function mayDecideReview({ owner }: ReviewedBinding, { name, groups, isAdministrator }: Reviewer): boolean {
  return isAdministrator || (owner !== undefined && (owner === name || groups.includes(owner)));
}

const keyOf = ({ cluster, resource }: { readonly cluster: string; readonly resource: string | null }) =>
  `${cluster}\n${resource}`;
