import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Person } from "../../src/access/person.ts";
import { accessRules, compileAccessRules } from "../../src/access/rules/access-rules.ts";
import { compileDirectory } from "../../src/access/rules/directory.ts";
import { loadDefaultRbacObjects, loadKubernetesSchemas, loadWorkloadCatalogue } from "../../src/adapters/files/catalog.ts";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { notificationSettings } from "../../src/adapters/notify/targets.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { StoredOauthRecords } from "../../src/adapters/store/oauth-records.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { rbacWorld, readDefaultRbac } from "../../src/analysis/rbac/world.ts";
import { isKubernetesObject } from "../../src/core/kubernetes.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { addAccessAdministrationRoutes } from "../../src/server/api/access-administration-routes.ts";
import { addAccessRoutes } from "../../src/server/api/access-routes.ts";
import { createApi } from "../../src/server/api/api.ts";
import { addLoginRoutes } from "../../src/server/api/login-routes.ts";
import { addOfferRoutes } from "../../src/server/api/offer-routes.ts";
import { addRecordingRoutes } from "../../src/server/api/recording-routes.ts";
import { addReviewRoutes } from "../../src/server/api/review-routes.ts";
import { addRoutes } from "../../src/server/api/routes.ts";
import { Sessions } from "../../src/server/api/session.ts";
import { ChatLinks } from "../../src/services/access/chat-links.ts";
import { admission } from "../../src/services/access/identity-authenticator.ts";
import { locksInForce } from "../../src/services/access/lock-list.ts";
import { Notifications } from "../../src/services/access/notifications.ts";
import { Recordings } from "../../src/services/access/recordings.ts";
import { askedRights, riskOf } from "../../src/services/access/risk.ts";
import { StoredAccessDesk } from "../../src/services/access/stored-desk.ts";
import { AccessReviews } from "../../src/services/access-review-campaigns.ts";
import { LedgerView } from "../../src/services/audit/ledger-view.ts";
import { RightsView } from "../../src/services/console/rights-view.ts";

const root = join(import.meta.dirname, "../..");
const developmentUsers = [
  { name: "dana", groups: ["nlp"] },
  { name: "olga", groups: ["platform-oncall", "castellan:viewer"] },
  { name: "otto", groups: ["platform-oncall", "castellan:viewer"] },
  { name: "audra", groups: ["audit", "castellan:auditor"] },
  { name: "petra", groups: ["castellan:admin", "platform-oncall"] },
];

/** Somebody who is logged in by name, as the console's routes know them. */
export const person = (name: string): Person => ({
  issuer: "development",
  subject: name,
  user: name,
  groups: developmentUsers.find((user) => user.name === name)?.groups.filter((group) => !group.startsWith("castellan:")) ?? [],
  human: `development#${name}`,
  isProgram: false,
});

export type AccessConsole = Awaited<ReturnType<typeof startAccessConsole>>;

/** The console's API with what access needs, on a free port of this machine. */
export async function startAccessConsole(directory: string) {
  const now = () => Date.now();
  const closing: (() => Promise<void>)[] = [];
  const store = await openSqlite(directory);
  closing.push(() => store.close());
  const ledger = new Ledger(store, await openSigner(directory, "castellan/ledger"), now);
  closing.push(() => ledger.close());
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown) => {
    troubles.push(error);
  };

  const people = compileDirectory([]);
  if (!people.ok) throw new Error("an empty directory is none");
  const lookup = { directory: people.value, schedules: new Map(), onCall: () => [] };
  const text = await readFile(join(import.meta.dirname, "access-console.yaml"), "utf8");
  const compiled = compileAccessRules(parseDocuments(text, "access-console.yaml").documents, lookup);
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  const rules = accessRules(compiled.value, lookup);

  const desk = new StoredAccessDesk({ store, ledger, rules: () => rules, cluster: "production", now, onTrouble });
  await desk.start();
  closing.push(() => desk.close());
  const recordings = new Recordings({ store, ledger, now, onTrouble });
  await recordings.start();
  closing.push(() => recordings.close());
  const settings = notificationSettings(
    {
      consoleUrl: "https://console.example",
      // Nobody listens there.
      targets: [{ name: "pager", audience: ["page"], webhook: { url: "http://127.0.0.1:9/alerts", secret: { env: "SECRET" } } }],
    },
    { SECRET: "0123456789abcdef0123456789abcdef" },
    now,
  );
  const notifications = new Notifications({ desk, store, settings, now, onTrouble, backoff: [] });
  notifications.start();
  closing.push(() => notifications.stop());

  const { documents } = await loadPaths([join(root, "examples/ai-platform/as-written")]);
  const defaults = readDefaultRbac(loadDefaultRbacObjects());
  const world = { documents, namespace: "default", complete: false, defaults, catalogue: loadWorkloadCatalogue() };
  const objects = documents.map(({ value }) => value).filter(isKubernetesObject);
  const index = rbacWorld(world);

  const sessions = new Sessions({
    hosts: ["127.0.0.1"],
    records: new StoredOauthRecords(store.db, now),
    secret: randomBytes(32),
    settings: "",
    now,
    lifetime: 3_600_000,
  });
  const api = await createApi({
    version: "0.0.0",
    pages: join(root, "dist/web"),
    sessions,
    secure: false,
    waitingFor: () => [],
    metrics: async () => [],
    onError: onTrouble,
  });
  const byGroup = (role: string) => ({ users: [], groups: [`castellan:${role}`] });
  const names = { refusedGroupPrefixes: [], usernamePrefixes: new Map() };
  addLoginRoutes(api, {
    sessions,
    secure: false,
    members: { viewer: byGroup("viewer"), auditor: byGroup("auditor"), admin: byGroup("admin") },
    developmentUsers,
    admit: admission({ ...names, directory: () => undefined, isLocked: (human) => desk.isLocked(human) }),
    now,
  });
  addRoutes(api, {
    ledger: new LedgerView(store),
    clusters: () => [
      {
        name: "production",
        unreached: () => undefined,
        isKnown: () => true,
        webhooksHeld: () => undefined,
        objects: () => objects.length,
        findings: () => [],
        objectOf: () => undefined,
        policies: () => [],
        brokenPolicies: () => [],
        rights: new RightsView(
          () => world,
          () => loadKubernetesSchemas().resources(),
        ),
        flows: () => ({ flows: 0, rows: [], unknown: [] }),
        networkPage: () => "",
      },
    ],
    findings: () => [],
    trend: async () => [],
    onChange: (listener) => desk.onChange(listener),
  });
  addAccessRoutes(api, {
    desk,
    clusters: () => ["production"],
    lookAtCall: async () => ({ ok: false, code: "ACCESS_UNAVAILABLE", message: "there is no cluster here" }),
    risk: (request) => {
      const rights = askedRights(request, request.role, index);
      return rights === undefined ? undefined : riskOf(world, rights);
    },
    now,
  });
  const chatLinks = new ChatLinks({ store, ledger, now });
  addAccessAdministrationRoutes(api, {
    desk,
    humanNamed: async (name) => name,
    locks: () => locksInForce(store, now()),
    notifications,
    chatLinks,
  });
  addOfferRoutes(api, { rules: () => rules, facts: () => ({}), clusters: () => ["production"], now });
  addRecordingRoutes(api, recordings);
  addReviewRoutes(api, new AccessReviews({ store, ledger, objectsOf: () => objects, now }), now);
  const origin = await api.listen({ host: "127.0.0.1", port: 0 });
  closing.push(() => api.close());
  return {
    origin,
    desk,
    recordings,
    chatLinks,
    troubles,
    close: async () => {
      for (const close of closing.toReversed()) await close();
    },
  };
}
