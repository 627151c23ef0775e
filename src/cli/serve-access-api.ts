import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import { addAccessAdministrationRoutes } from "../server/api/access-administration-routes.ts";
import { addAccessRoutes } from "../server/api/access-routes.ts";
import type { Api } from "../server/api/api.ts";
import type { LookAtCall } from "../server/api/new-action.ts";
import { addOfferRoutes } from "../server/api/offer-routes.ts";
import { addRecordingRoutes } from "../server/api/recording-routes.ts";
import { addReviewRoutes } from "../server/api/review-routes.ts";
import { locksInForce } from "../services/access/lock-list.ts";
import type { AccessReviews } from "../services/access-review-campaigns.ts";
import type { Io } from "./io.ts";
import type { ServedAccess } from "./serve-access.ts";
import type { ServedCluster } from "./serve-cluster.ts";
import type { ServingIdentity } from "./serve-identity.ts";
import { type FollowedNotifications, startNotifications } from "./serve-notifications.ts";

export interface AccessApiParts {
  readonly access: ServedAccess;
  /** Who is told of requests. */
  readonly told: FollowedNotifications;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly clusters: readonly ServedCluster[];
  readonly reviews: AccessReviews;
  /** People as their identity provider knows them by now. */
  readonly current: ServingIdentity["current"];
  /** What the gateway knows of a call before it is sent; undefined: there is no gateway. */
  readonly lookAtCall: () => LookAtCall | undefined;
  readonly io: Io;
  readonly trouble: (error: unknown) => void;
}

/** Requests, locks, recordings and reviews over the API, and whoever is told of them; the answer ends that. */
export function addAccessApi(api: Api, parts: AccessApiParts): () => Promise<void> {
  const { access, told: followed, store, ledger, clusters, reviews, current, lookAtCall, io, trouble } = parts;
  const { desk, recordings } = access;
  const { now } = io;
  const told = startNotifications(followed, api, { desk, store, ledger, current, now, onTrouble: trouble });
  const clusterOf = (wanted: string) => clusters.find(({ name }) => name === wanted);
  addAccessRoutes(api, {
    desk,
    clusters: () => clusters.map(({ name }) => name),
    lookAtCall: async (action, call, person) =>
      (await lookAtCall()?.(action, call, person)) ?? {
        ok: false,
        code: "ACCESS_UNAVAILABLE",
        message: "single calls are made through the gateway, and this server has none (--gateway-listen)",
      },
    risk: (request) => clusterOf(request.cluster)?.rights.riskOf(request, request.role),
    chatLinks: told.chatLinks,
    now,
  });
  addAccessAdministrationRoutes(api, {
    desk,
    humanNamed: (name) => humanNamed(access, name),
    locks: () => locksInForce(store, now()),
    notifications: told.notifications,
    chatLinks: told.chatLinks,
  });
  addOfferRoutes(api, {
    rules: () => access.live.rules,
    facts: access.facts,
    clusters: () => clusters.map(({ name }) => name),
    now,
  });
  addRecordingRoutes(api, recordings);
  addReviewRoutes(api, reviews, now);
  return () => told.stop();
}

/** User names are no ids: one that several people have had is nobody's. */
async function humanNamed({ desk, live }: ServedAccess, name: string): Promise<string | undefined> {
  if (name.includes("#") || live.directory.person(name) !== undefined) return name;
  const asked = (await desk.list({ limit: 1000 })).filter(({ requester }) => requester.user === name);
  const [only, second] = new Set(asked.map(({ requester }) => live.directory.humanOf(requester)));
  return second === undefined ? only : undefined;
}
