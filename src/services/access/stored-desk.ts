import { actionDigest } from "../../access/digest.ts";
import { guardrailsMet, isLive } from "../../access/machine/grant.ts";
import { open } from "../../access/machine/open.ts";
import { sameHuman } from "../../access/machine/same-human.ts";
import { fillableSlots } from "../../access/machine/slots.ts";
import type { Command } from "../../access/machine/step-types.ts";
import { type Person, personKey } from "../../access/person.ts";
import type { AccessRequest, Approval, ApprovalSlot, Ask } from "../../access/request.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { AccessRules } from "../../access/rules/types.ts";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { Instant } from "../../core/host.ts";
import { Repeated } from "../repeated.ts";
import { actionTarget, sessionUse as sessionUseRecord } from "./access-records.ts";
import { agedLogin } from "./aged-login.ts";
import { ChangeFeed } from "./change-feed.ts";
import type { AccessDesk, GrantUse, NewRequest, Outcome, Refusal, RequestFilter } from "./desk.ts";
import { actionUse, liveOutcome, outcomeOf, sessionUse, type UsePort } from "./grant-use.ts";
import { Locks } from "./locks.ts";
import { isSame, newId, offerRefusal, readableAsk } from "./new-request.ts";
import { OpenRequests } from "./open-requests.ts";
import { noRule, noSweeper, notLoaded, refuse } from "./refusals.ts";
import { RequestStore } from "./request-store.ts";
import type { RoleBindingGrants } from "./role-binding-grants.ts";
import { type FactsOf, offerOf, type Standing, standingOf } from "./standing-offer.ts";
import { waitUntil } from "./wait-until.ts";

/** How often it is looked whether a time has come or the rules are others. */
const sweepMilliseconds = 250;
const retryMilliseconds = 500;
/** Requests of one person that may wait for a decision. */
const mostPending = 100;
const mostListed = 500;

export interface StoredDeskOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  /** The rules as they are now; undefined: they are not loaded yet, and nothing is asked for, decided or used. */
  readonly rules: () => AccessRules | undefined;
  /** The cluster of asks that name none. */
  readonly cluster: string;
  readonly now: () => Instant;
  /** Milliseconds that pass evenly, whatever is done to the clock; unless told, the process's own. */
  readonly ticks?: (() => number) | undefined;
  readonly facts?: FactsOf | undefined;
  /** The human behind a login as the directory says it by now: it may have learnt of a second login since. */
  readonly humanOf?: ((login: Person) => string) | undefined;
  /** Groups that a provider said longer ago count for nothing, milliseconds; an hour unless told. */
  readonly groupsMaxAge?: (() => number | undefined) | undefined;
  /** Sessions by role bindings; undefined: they are off. */
  readonly roleBindings?: RoleBindingGrants | undefined;
  /** Something failed that is tried again, or was refused for it. */
  readonly onTrouble: (error: Error) => void;
}

/** The desk on a database that replicas may share. Nothing is answered before it is on the disk. */
export class StoredAccessDesk implements AccessDesk {
  readonly #options: StoredDeskOptions;
  readonly #requests: RequestStore;
  readonly #feed: ChangeFeed;
  readonly #open: OpenRequests;
  readonly #locks: Locks;
  readonly #port: UsePort;
  readonly #listeners = new Set<(request: AccessRequest) => void>();
  /** Requests that the rules of this process gave at some time: only of these can it be seen that they give them no more. */
  readonly #given = new Set<string>();
  #judged: AccessRules | undefined;
  /** Short looks instead of long timers: those would follow neither a clock that is set nor a machine that slept. */
  readonly #sweep = new Repeated(() => this.#swept(), sweepMilliseconds);
  /** Apart from it: an API server that does not answer must not hold up what ends here. */
  readonly #bindings = new Repeated(() => this.#bound(), sweepMilliseconds);
  readonly #closing = new AbortController();

  constructor(options: StoredDeskOptions) {
    const { store, ledger, onTrouble } = options;
    this.#options = options;
    this.#requests = new RequestStore(store, ledger);
    this.#open = new OpenRequests(options.ticks ?? (() => performance.now()));
    this.#locks = new Locks(options.now);
    this.#feed = new ChangeFeed({
      store,
      onRequest: (request) => this.#changed(request),
      onLock: (lock) => this.#locks.take(lock),
      onTrouble: (error) => {
        if (error !== undefined) onTrouble(error);
      },
    });
    this.#port = {
      step: (id, command) => this.#outcome(() => this.#step(id, command)),
      report: (id, command) => this.#report(id, command),
      stillLive: (id) => this.#outcome(() => this.#stillLive(id)),
    };
  }

  /** Begins to follow what is open and what changes; rejects where the database fails. */
  async start(): Promise<void> {
    await this.#feed.start();
    for (const request of await this.#requests.due()) this.#open.take(request, this.#options.now());
    void this.#sweep.startNow();
    if (this.#options.roleBindings !== undefined) this.#bindings.start();
  }

  /** The store and the ledger stay open. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sweep.close();
    await this.#bindings.close();
    await this.#feed.close();
  }

  open(wanted: NewRequest): Promise<Outcome<AccessRequest>> {
    return this.#outcome(() => this.#opened(wanted));
  }

  get(id: string): Promise<AccessRequest | undefined> {
    return this.#requests.get(id);
  }

  async list({
    phases,
    requester,
    decidableBy,
    cluster,
    breakGlass,
    limit = mostListed,
  }: RequestFilter): Promise<readonly AccessRequest[]> {
    const filter = { human: requester?.human, cluster, glass: breakGlass };
    if (decidableBy === undefined) return this.#requests.find({ ...filter, phases, limit });
    if (phases !== undefined && !phases.includes("pending")) return [];
    const pending = await this.#requests.find({ ...filter, phases: ["pending"] });
    return pending.filter((request) => this.#mayDecide(request, decidableBy)).slice(0, limit);
  }

  decide(
    id: string,
    by: Person,
    verdict: Approval["verdict"],
    comment: string,
    channel: Approval["channel"],
  ): Promise<Outcome<AccessRequest>> {
    return this.#outcome(async () => {
      const request = await this.#requests.get(id);
      if (request?.phase !== "pending") return this.#step(id, { type: verdict, by, comment, channel, slots: [] });
      const refused = this.#decisionProblem(request, by, verdict) ?? this.#agedProblem(by);
      if (refused !== undefined) return refused;
      const standing = this.#standing(request, request.requester, request.ask);
      if (standing.type === "gone") return this.#withdrawn(request, standing.why);
      if (verdict === "approve") {
        if (standing.type === "refused") return refuse("ACCESS_REJECTED", standing.why);
        if (!this.#canBind(request.ask)) return noSweeper;
      }
      return this.#step(id, { type: verdict, by: this.#known(by), comment, channel, slots: slotsOf(request, standing) });
    });
  }

  #agedProblem(person: Person): Refusal | undefined {
    return agedLogin(person, this.#options.now(), this.#options.groupsMaxAge?.());
  }

  /** Somebody as the directory knows them now. */
  #known(person: Person): Person {
    return { ...person, human: this.#options.humanOf?.(person) ?? person.human };
  }

  /** What the request itself cannot tell: who has turned out to be the same human, or was locked out since they approved. */
  #decisionProblem(request: AccessRequest, by: Person, verdict: Approval["verdict"]): Refusal | undefined {
    const decider = this.#known(by);
    if (sameHuman(decider, this.#known(request.requester)))
      return refuse("ACCESS_SELF_APPROVAL", `${by.user} cannot decide on their own request.`);
    if (verdict !== "approve") return undefined;
    const before = request.approvals.map((approval) => this.#known(approval.by));
    if (before.some((other) => sameHuman(other, decider)))
      return refuse("ACCESS_ALREADY_APPROVED", `${by.user} has approved this before.`);
    const locked = before.find(({ human }) => this.#locks.holds(human));
    if (locked === undefined) return undefined;
    return refuse(
      "ACCESS_LOCKED",
      `${locked.user}, who approved this before, is locked out: deny it, and let it be asked for anew.`,
    );
  }

  cancel(id: string, by: Person): Promise<Outcome<AccessRequest>> {
    return this.#outcome(() => this.#step(id, { type: "cancel", by }));
  }

  revoke(id: string, by: Person, why: string): Promise<Outcome<AccessRequest>> {
    return this.#outcome(() => this.#step(id, { type: "revoke", by, why }));
  }

  review(id: string, by: Person, comment: string): Promise<Outcome<AccessRequest>> {
    return this.#outcome(async () => {
      const request = await this.#requests.get(id);
      const isOwn = request !== undefined && sameHuman(this.#known(by), this.#known(request.requester));
      if (isOwn) return refuse("ACCESS_SELF_APPROVAL", `${by.user} cannot review what they did themselves.`);
      const aged = this.#agedProblem(by);
      if (aged !== undefined) return aged;
      const reviewers = request === undefined ? [] : this.reviewersOf(request);
      return this.#step(id, { type: "review", by: this.#known(by), comment, reviewers });
    });
  }

  reviewersOf(request: AccessRequest): readonly ApprovalSlot[] {
    const before = request.reviewers ?? [];
    const rules = this.#options.rules();
    if (!request.breakGlass || request.reviewed !== undefined || rules === undefined) return before;
    const { requester: person, ask, cluster, rule } = request;
    const facts = this.#factsOf(person, ask, cluster);
    const asked = { person, ask, cluster, breakGlass: true, at: this.#options.now(), facts, rule: rule.name };
    const reviewers = offerOf(rules, asked)?.reviewers ?? [];
    return reviewers.length === 0 ? before : reviewers;
  }

  async use(
    person: Person,
    action: RequestedAction,
    auditId?: string | undefined,
    guardrails: readonly string[] = [],
  ): Promise<GrantUse | undefined> {
    const { now, onTrouble } = this.#options;
    if (this.#locks.holds(person.human) || (person.until !== undefined && person.until <= now())) return undefined;
    // Whoever asks for the same anew is told why.
    if (this.#agedProblem(person) !== undefined) return undefined;
    try {
      const mine = { requester: personKey(person), cluster: action.cluster, phases: ["granted"] };
      const lifts = (request: AccessRequest) => guardrailsMet(request, guardrails).length === guardrails.length;
      const granted = await this.#requests.find(mine);
      const live = granted.filter((request) => isLive(request, this.#at(request)) && lifts(request));
      for (const request of live) {
        const use = await this.#usedOnce(request, person, action, auditId);
        if (use !== undefined) return use;
      }
      for (const request of live) {
        const use = await this.#usedInSession(request, person, action, auditId);
        if (use !== undefined) return use;
      }
    } catch (error) {
      onTrouble(asError(error));
    }
    return undefined;
  }

  async exceptions(cluster: string): Promise<readonly AccessRequest[]> {
    try {
      const granted = await this.#requests.find({ cluster, phases: ["granted"], type: "exception" });
      return granted.filter((request) => !this.#locks.holds(request.requester.human) && this.#isGood(request));
    } catch (error) {
      // Without the database nobody knows what was revoked: then denials stand.
      this.#options.onTrouble(asError(error));
      return [];
    }
  }

  async lock(human: string, by: Person, why: string, until?: Instant | undefined): Promise<void> {
    const { now, cluster } = this.#options;
    // Here at once, whatever the database says; then everywhere.
    this.#locks.take({ human, until: until ?? null });
    await this.#requests.setLock(human, by, why, now(), until, cluster);
    this.#feed.wake();
    await this.#sweep.now();
  }

  async unlock(human: string, by: Person): Promise<void> {
    const { now, cluster } = this.#options;
    const at = now();
    await this.#requests.setLock(human, by, "", at, at, cluster);
    this.#locks.take({ human, until: at });
    this.#feed.wake();
  }

  isLocked(human: string): boolean {
    return this.#locks.holds(human);
  }

  onChange(listener: (request: AccessRequest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onLock(listener: (human: string) => void): () => void {
    return this.#locks.onLock(listener);
  }

  settled(id: string, until: Instant, signal?: AbortSignal | undefined): Promise<AccessRequest | undefined> {
    return waitUntil<AccessRequest>({
      read: () => this.get(id),
      isOver: (request) => request.phase !== "pending" || this.#options.now() >= until,
      onChange: (told) => this.onChange((request) => request.id === id && told()),
      left: () => until - this.#options.now(),
      signals: [this.#closing.signal, ...(signal === undefined ? [] : [signal])],
      onTrouble: this.#options.onTrouble,
    });
  }

  async #opened(wanted: NewRequest): Promise<Outcome<AccessRequest>> {
    const { requester, reason, guardrails = [], breakGlass = false } = wanted;
    const { rules: current, now, cluster: own } = this.#options;
    const rules = current();
    if (rules === undefined) return notLoaded;
    if (this.#locks.holds(requester.human)) return refuse("ACCESS_LOCKED", `${requester.user} is locked out.`);
    const aged = this.#agedProblem(requester);
    if (aged !== undefined) return aged;
    const cluster = wanted.cluster ?? (wanted.ask.type === "action" ? wanted.ask.action.cluster : own);
    const at = now();
    const shown = readableAsk(wanted.ask);
    const facts = this.#factsOf(requester, shown, cluster);
    const offer = offerOf(rules, { person: requester, ask: shown, cluster, breakGlass, at, facts, rule: wanted.rule });
    if (offer === undefined) return noRule;
    const refusal = offerRefusal(wanted, offer) ?? (this.#canBind(wanted.ask) ? undefined : noSweeper);
    if (refusal !== undefined) return refusal;
    const rule = { name: offer.rule, version: offer.version };
    const ask = shown.type === "action" ? { ...shown, digest: actionDigest(shown.action, requester, rule) } : shown;
    const mine = await this.#requests.find({ requester: personKey(requester), cluster, phases: ["pending"] });
    // Those that nobody has swept yet wait no more.
    const waiting = mine.filter((request) => this.#at(request) < request.pendingUntil);
    const same = waiting.find((request) => isSame(request, { ask, rule, breakGlass, guardrails }));
    if (same !== undefined) return { ok: true, value: same };
    if (waiting.length >= mostPending) {
      return refuse("ACCESS_TOO_MANY", `${waiting.length} requests of ${requester.user} wait already.`);
    }
    const { slots, reviewers, role, holdSeconds, pendingMilliseconds, grantMilliseconds } = offer;
    const approvedBecause = offer.verdict === "approve" ? offer.because : undefined;
    const limits = { holdSeconds, pendingMilliseconds, grantMilliseconds };
    const ruled = { rule, role, slots, approvedBecause, ...limits, ...(breakGlass ? { reviewers } : {}) };
    const opened = open({ id: newId(), cluster, requester, ask, reason, guardrails, breakGlass, ...ruled }, at);
    if (!opened.ok) return { ok: false, ...opened.refused };
    await this.#requests.create(opened.request, opened.events);
    this.#open.take(opened.request, at);
    this.#given.add(opened.request.id);
    this.#feed.wake();
    return { ok: true, value: opened.request };
  }

  /** Whether the binding that this needs, if it needs one, will be made and removed. */
  #canBind(ask: Ask): boolean {
    return !isBound({ ask }) || this.#options.roleBindings?.isLive() === true;
  }

  /** Whether the grant is live, and the rules give it at this time. */
  #isGood(request: AccessRequest): boolean {
    return isLive(request, this.#at(request)) && this.#standing(request, request.requester, request.ask).type === "holds";
  }

  #mayDecide(request: AccessRequest, by: Person): boolean {
    if (by.isProgram || this.#decisionProblem(request, by, "deny") !== undefined || this.#at(request) >= request.pendingUntil)
      return false;
    if (request.approvals.some((approval) => sameHuman(approval.by, by))) return false;
    const standing = this.#standing(request, request.requester, request.ask);
    if (standing.type === "gone") return false;
    return fillableSlots(slotsOf(request, standing), by).length > 0;
  }

  /** Consumes the grant of a single action, where it is for exactly this call. */
  async #usedOnce(
    request: AccessRequest,
    person: Person,
    action: RequestedAction,
    auditId: string | undefined,
  ): Promise<GrantUse | undefined> {
    if (request.ask.type !== "action") return undefined;
    const digest = actionDigest(action, person, request.rule);
    if (digest !== request.ask.digest || !(await this.#mayUse(request, person, { ...request.ask, action }))) return undefined;
    const outcome = await this.#step(request.id, { type: "consume", by: person, digest, auditId });
    return outcome.ok ? actionUse(this.#port, outcome.value) : undefined;
  }

  async #usedInSession(
    request: AccessRequest,
    person: Person,
    action: RequestedAction,
    auditId: string | undefined,
  ): Promise<GrantUse | undefined> {
    const { ask } = request;
    if (ask.type !== "session" || ask.mode !== "gateway" || request.requester.user !== person.user) return undefined;
    if (!action.isResourceRequest || action.namespace !== ask.namespace) return undefined;
    if (!(await this.#mayUse(request, person, ask))) return undefined;
    await this.#options.ledger.append([sessionUseRecord(request, actionTarget(action), this.#at(request), auditId)]);
    const outcome = await this.#stillLive(request.id);
    return outcome.ok ? sessionUse(this.#port, outcome.value) : undefined;
  }

  /** Whether the rules still give this; where they never will again the grant ends. */
  async #mayUse(request: AccessRequest, person: Person, ask: Ask): Promise<boolean> {
    const standing = this.#standing(request, person, ask);
    if (standing.type === "gone") await this.#withdrawn(request, standing.why);
    return standing.type === "holds";
  }

  #standing(request: AccessRequest, person: Person, ask: Ask): Standing {
    const rules = this.#options.rules();
    if (rules === undefined) return { type: "refused", why: notLoaded.message };
    const { id, breakGlass, rule, cluster } = request;
    const facts = this.#factsOf(person, ask, cluster);
    const asked = { person, ask, cluster, breakGlass, at: this.#at(request), facts, rule: rule.name };
    const standing = standingOf(rules, request, asked);
    if (standing.type !== "gone") this.#given.add(id);
    // After a start, rules and clusters come one after the other: what they do not give yet is not used, and not ended.
    return standing.type === "gone" && !this.#given.has(id) ? { type: "refused", why: standing.why } : standing;
  }

  #factsOf(person: Person, ask: Ask, cluster: string): ReturnType<FactsOf> {
    return this.#options.facts?.(person, ask, cluster) ?? {};
  }

  async #withdrawn(request: AccessRequest, why: string): Promise<Refusal> {
    await this.#step(request.id, { type: "revoke", by: undefined, why });
    return refuse("ACCESS_RULE_CHANGED", `The request is no longer good: ${why}.`);
  }

  async #stillLive(id: string): Promise<Outcome<AccessRequest>> {
    const request = await this.#requests.get(id);
    const human = request?.requester.human;
    if (human !== undefined && this.#locks.holds(human)) return refuse("ACCESS_LOCKED", "This person is locked out.");
    return liveOutcome(request, request === undefined ? 0 : this.#at(request));
  }

  #at(request: Pick<AccessRequest, "id">): Instant {
    return this.#open.at(request, this.#options.now());
  }

  async #step(id: string, command: Command): Promise<Outcome<AccessRequest>> {
    const result = await this.#requests.step(id, command, (request) => this.#at(request));
    if (result !== undefined && result.events.length > 0) {
      this.#open.take(result.request, this.#options.now());
      this.#feed.wake();
    }
    return outcomeOf(result);
  }

  async #report(id: string, command: Command): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#step(id, command);
        return;
      } catch (error) {
        this.#options.onTrouble(asError(error));
      }
      await new Promise((resolve) => setTimeout(resolve, retryMilliseconds).unref());
    }
  }

  async #outcome(work: () => Promise<Outcome<AccessRequest>>): Promise<Outcome<AccessRequest>> {
    try {
      return await work();
    } catch (error) {
      this.#options.onTrouble(asError(error));
      return refuse("ACCESS_UNAVAILABLE", "The database does not answer; nothing was asked for, decided or granted.");
    }
  }

  #changed(request: AccessRequest): void {
    this.#open.take(request, this.#options.now());
    for (const listener of [...this.#listeners]) listener(request);
  }

  async #swept(): Promise<void> {
    try {
      for (const { id } of this.#open.due(this.#options.now())) await this.#step(id, { type: "elapse" });
      await this.#endWithdrawn();
    } catch (error) {
      this.#options.onTrouble(asError(error));
    }
  }

  async #bound(): Promise<void> {
    try {
      await this.#options.roleBindings?.follow(this.#open.all().filter((one) => isBound(one) && this.#isGood(one)));
    } catch (error) {
      this.#options.onTrouble(asError(error));
    }
  }

  /** Ends the grants of persons who are locked out, and after a change of the rules what they no longer give. */
  async #endWithdrawn(): Promise<void> {
    const rules = this.#options.rules();
    const changed = rules !== undefined && rules !== this.#judged;
    for (const request of this.#open.all()) {
      if (request.phase === "granted" && this.#locks.holds(request.requester.human)) {
        await this.#step(request.id, { type: "revoke", by: undefined, why: "the requester is locked out" });
      } else if (changed && request.phase !== "ended") {
        const standing = this.#standing(request, request.requester, request.ask);
        if (standing.type === "gone") await this.#withdrawn(request, standing.why);
      }
    }
    if (changed) this.#judged = rules;
    const open = new Set(this.#open.all().map(({ id }) => id));
    for (const id of this.#given) if (!open.has(id)) this.#given.delete(id);
  }
}

/** Whose approval is asked for by now. */
const slotsOf = (request: AccessRequest, standing: Standing): readonly ApprovalSlot[] =>
  standing.type === "holds" && standing.offer.slots.length > 0 ? standing.offer.slots : request.slots;

/** Whether a grant of this is a RoleBinding. */
const isBound = ({ ask }: Pick<AccessRequest, "ask">): boolean => ask.type === "session" && ask.mode === "rolebinding";

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
