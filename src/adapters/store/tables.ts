/** Times are milliseconds since the epoch; hashes are 32 bytes. */
export interface LedgerRecordRow {
  seq: number;
  kind: string;
  at: number;
  recorded: number;
  cluster: string;
  actor: string | null;
  verb: string | null;
  api_group: string | null;
  resource: string | null;
  namespace: string | null;
  name: string | null;
  outcome: string | null;
  key: string | null;
  /** Canonical JSON; what the tree is built over. */
  body: string;
  leaf: Uint8Array;
}

/** One row: the tree's frontier. Its lock orders the writers of several replicas. */
interface LedgerHeadRow {
  id: number;
  size: number;
  frontier: Uint8Array;
  /** Records before this one were removed by retention; the frontier of the tree at that size. */
  pruned_size: number;
  pruned_frontier: Uint8Array;
}

export interface PolicyModeRow {
  cluster: string;
  /** As `kyverno.io/ClusterPolicy/name`. */
  policy: string;
  /** Empty: everywhere. */
  namespace: string;
  mode: string;
  changed_at: number;
  changed_by: string;
  reason: string | null;
}

/** A message to one target about one event of a request; unique in these three. */
export interface NotificationRow {
  id: string;
  request: string;
  event: string;
  target: string;
  /** JSON of a `Notice`. */
  payload: string;
  state: "pending" | "sent" | "dead";
  attempts: number;
  created: number;
  /** Not before this. */
  due: number;
  /** Some replica is sending it until then; 0: nobody is. */
  leased_until: number;
  sent: number | null;
  problem: string | null;
}

export interface ChatLinkRow {
  chat: string;
  team: string;
  chat_user: string;
  issuer: string;
  subject: string;
  /** JSON of the person as they last logged in. */
  person: string;
  linked: number;
  renewed: number;
}

export interface ChatCodeRow {
  /** SHA-256 of the code. */
  digest: string;
  chat: string;
  team: string;
  chat_user: string;
  chat_name: string;
  expires: number;
}

/** A request for access; the columns are what is searched, the document is the request. */
export interface AccessRequestRow {
  id: string;
  cluster: string;
  /** What is asked for: action, session or exception. */
  type: string;
  phase: string;
  /** `issuer#subject`. */
  requester: string;
  human: string;
  opened: number;
  /** When time itself ends what it is in now; null: never. */
  due: number | null;
  /** Of break-glass: unreviewed or reviewed; null for all other requests. */
  glass: string | null;
  revision: number;
  /** Sequence number of the ledger's record of the last change: grows in the order of commits, on all replicas. */
  changed: number;
  /** JSON. */
  document: string;
}

/** No access for this human until then; null: until unlocked. Lifted locks stay, with the time they were lifted at. */
export interface AccessLockRow {
  human: string;
  locked_by: string;
  why: string;
  at: number;
  until: number | null;
  /** As of requests. */
  changed: number;
}

export interface OauthRecordRow {
  /** The kind of record, as the issuer names it: `RefreshToken`, `DeviceCode`, `Account`, ... */
  model: string;
  /** Hex SHA-256. */
  id: string;
  /** JSON. */
  payload: string;
  grant_id: string | null;
  /** Hex SHA-256. */
  user_code: string | null;
  uid: string | null;
  until: number;
  consumed: number | null;
}

/** A recorded session. */
export interface RecordingRow {
  id: string;
  cluster: string;
  human: string;
  namespace: string;
  /** The process that records it. */
  server: string;
  started: number;
  /** When that process last said that it is there. */
  alive: number;
  /** Null: it goes on, or nobody could end it. */
  ended: number | null;
  /** When retention removed what was shown. */
  removed: number | null;
  /** JSON: who does what where. */
  about: string;
  /** JSON: how it ended, with the digest of what was shown. */
  outcome: string | null;
}

/** How much was wrong in a cluster at the end of an hour, or when it was last counted in it. */
export interface FindingCountRow {
  readonly cluster: string;
  /** Its beginning. */
  readonly hour: number;
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly info: number;
  readonly warnings: number;
  readonly errors: number;
}

export interface Tables {
  finding_counts: FindingCountRow;
  recordings: RecordingRow;
  /** What was shown, in order from 0 on. */
  recording_chunks: { recording: string; seq: number; body: Uint8Array };
  oauth_records: OauthRecordRow;
  /** Public keys as JSON (RFC 7517), and when their replica last said that it signs with them. */
  token_keys: { kid: string; jwk: string; seen: number };
  access_requests: AccessRequestRow;
  access_locks: AccessLockRow;
  notifications: NotificationRow;
  chat_links: ChatLinkRow;
  chat_codes: ChatCodeRow;
  chat_nonces: { nonce: string; expires: number };
  /** Base64. */
  shared_keys: { name: string; value: string };
  /** Kept until the token would be too old all the same. */
  spent_tokens: { id: string; version: string; until: number };
  policy_modes: PolicyModeRow;
  ledger_records: LedgerRecordRow;
  ledger_keys: { key: string; seq: number };
  ledger_tiles: { level: number; idx: number; hash: Uint8Array };
  ledger_checkpoints: { size: number; at: number; note: string };
  ledger_head: LedgerHeadRow;
}

/** By what each table is ordered: unique in it. Copies page by these. */
export const tableKeys = {
  finding_counts: ["cluster", "hour"],
  recordings: ["id"],
  recording_chunks: ["recording", "seq"],
  oauth_records: ["model", "id"],
  token_keys: ["kid"],
  access_requests: ["id"],
  access_locks: ["human"],
  notifications: ["id"],
  chat_links: ["chat", "team", "chat_user"],
  chat_codes: ["digest"],
  chat_nonces: ["nonce"],
  shared_keys: ["name"],
  spent_tokens: ["id", "version"],
  policy_modes: ["cluster", "policy", "namespace"],
  ledger_records: ["seq"],
  ledger_keys: ["key"],
  ledger_tiles: ["level", "idx"],
  ledger_checkpoints: ["size"],
  ledger_head: ["id"],
} as const satisfies { readonly [T in keyof Tables]: readonly (keyof Tables[T])[] };
