import { isDnsSubdomain } from "../../core/label-selector.ts";
import type { RequestAttributes } from "../../core/request-attributes.ts";
import { superUsers } from "./authorize.ts";
import { type HeaderFields, type WantedUser, wantedUser } from "./impersonation-headers.ts";

/** The authenticated person or account that asks to be somebody else. */
export interface Requestor {
  readonly user: string;
  readonly groups: readonly string[];
  readonly extra: { readonly [key: string]: readonly string[] };
}

/** Whether an authorizer allows one request; the reason is shown to the requestor. */
export type Authorizer = (request: RequestAttributes) => { readonly allowed: boolean; readonly reason: string };

export type Impersonation =
  | { readonly kind: "none" }
  | {
      readonly kind: "allowed";
      readonly user: EffectiveUser /** The constrained verb that allowed it; empty for legacy. */;
      readonly constraint: string;
    }
  | { readonly kind: "refused"; readonly status: 400 | 403; readonly message: string };

export interface EffectiveUser {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

const authenticationGroup = "authentication.k8s.io";
const nodeNameKey = "authentication.kubernetes.io/node-name";
/** From this many groups or extra values on, one check for all of them is tried first. */
const manyChecks = 4;

class Refused extends Error {}

function forbidden(request: RequestAttributes, reason: string): string {
  const resource = request.subresource === "" ? request.resource : `${request.resource}/${request.subresource}`;
  const where = request.namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(request.namespace)}`;
  const what = request.isResourceRequest
    ? `cannot ${request.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(request.apiGroup)} ${where}`
    : `cannot ${request.verb} path ${JSON.stringify(request.path)}`;
  const kind = request.apiGroup === "" ? request.resource : `${request.resource}.${request.apiGroup}`;
  const subject = kind === "" ? "" : request.name === "" ? `${kind} is ` : `${kind} ${JSON.stringify(request.name)} is `;
  return `${subject}forbidden: User ${JSON.stringify(request.user)} ${what}${reason === "" ? "" : `: ${reason}`}`;
}

function check(authorizer: Authorizer, request: RequestAttributes): void {
  const { allowed, reason } = authorizer(request);
  if (!allowed) throw new Refused(forbidden(request, reason));
}

function splitServiceAccount(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const parts = user.split(":");
  const [system, kind, namespace = "", name = ""] = parts;
  if (parts.length !== 4 || system !== "system" || kind !== "serviceaccount") return undefined;
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace) && isDnsSubdomain(name) ? { namespace, name } : undefined;
}

function nodeName(user: string): string | undefined {
  const name = user.startsWith("system:node:") ? user.slice("system:node:".length) : "";
  return isDnsSubdomain(name) ? name : undefined;
}

interface Mode {
  /** `impersonate` for legacy, `impersonate:<mode>` otherwise. */
  readonly verb: string;
  readonly constrained: boolean;
  readonly name: string;
  applies(wanted: WantedUser, requestor: Requestor): boolean;
}

const onlyUser = (wanted: WantedUser) => wanted.uid === "" && wanted.groups.length === 0 && wanted.extra.size === 0;

function isAssociated(requestor: Requestor, wanted: WantedUser): boolean {
  const node = nodeName(wanted.user);
  const claimed = requestor.extra[nodeNameKey] ?? [];
  return node !== undefined && splitServiceAccount(requestor.user) !== undefined && claimed.length === 1 && claimed[0] === node;
}

function constrained(name: string, applies: Mode["applies"]): Mode {
  return { verb: `impersonate:${name}`, constrained: true, name, applies };
}

const legacy: Mode = { verb: "impersonate", constrained: false, name: "legacy", applies: () => true };

const modes: readonly Mode[] = [
  constrained("associated-node", (wanted, requestor) => onlyUser(wanted) && isAssociated(requestor, wanted)),
  constrained("arbitrary-node", (wanted) => onlyUser(wanted) && nodeName(wanted.user) !== undefined),
  constrained("serviceaccount", (wanted) => onlyUser(wanted) && splitServiceAccount(wanted.user) !== undefined),
  constrained("user-info", (wanted) => nodeName(wanted.user) === undefined && splitServiceAccount(wanted.user) === undefined),
  legacy,
];

/** The checks on the wanted user itself, in the API server's order: name, UID, groups, extra. */
class WantedUserChecks {
  readonly #mode: Mode;
  readonly #requestor: Requestor;
  readonly #authorizer: Authorizer;

  constructor(mode: Mode, requestor: Requestor, authorizer: Authorizer) {
    this.#mode = mode;
    this.#requestor = requestor;
    this.#authorizer = authorizer;
  }

  #request(apiGroup: string, resource: string, name: string, subresource = "", namespace = ""): RequestAttributes {
    const { user, groups } = this.#requestor;
    return {
      user,
      groups,
      verb: this.#mode.verb,
      isResourceRequest: true,
      path: "",
      namespace,
      apiGroup,
      resource,
      subresource,
      name,
    };
  }

  get #userGroup(): string {
    return this.#mode.constrained ? authenticationGroup : "";
  }

  #check(request: RequestAttributes): void {
    check(this.#authorizer, request);
  }

  user(wanted: WantedUser): void {
    const account = splitServiceAccount(wanted.user);
    const node = this.#mode.constrained ? nodeName(wanted.user) : undefined;
    if (node !== undefined) {
      // An associated node is checked for all nodes at once, since the association itself was checked.
      this.#check(this.#request(this.#userGroup, "nodes", this.#mode.name === "associated-node" ? "*" : node));
    } else if (account !== undefined) {
      this.#check(this.#request(this.#userGroup, "serviceaccounts", account.name, "", account.namespace));
    } else this.#check(this.#request(this.#userGroup, "users", wanted.user));
  }

  uid(uid: string): void {
    if (uid !== "") this.#check(this.#request(authenticationGroup, "uids", uid));
  }

  groups(groups: readonly string[]): void {
    const request = (name: string) => this.#request(this.#userGroup, "groups", name);
    if (this.#mode.constrained && groups.length > 0) {
      if (groups.includes("")) throw new Refused(forbidden(request(""), "impersonating the empty string group is not allowed"));
      if (groups.includes(superUsers)) {
        throw new Refused(forbidden(request(superUsers), "impersonating the system:masters group is not allowed"));
      }
      if (groups.length >= manyChecks && this.#authorizer(request("*")).allowed) return;
    }
    for (const group of groups) this.#check(request(group));
  }

  extra(extra: WantedUser["extra"]): void {
    if (extra.size === 0) return;
    const request = (key: string, value: string) => this.#request(authenticationGroup, "userextras", value, key);
    if (this.#mode.constrained) {
      const problem = invalidExtra(extra);
      if (problem !== undefined) throw new Refused(forbidden(request("", ""), problem));
      const count = [...extra.values()].reduce((sum, values) => sum + values.length, 0);
      if ((extra.size >= manyChecks || count >= manyChecks) && this.#authorizer(request("*", "*")).allowed) return;
    }
    for (const [key, values] of extra) for (const value of values) this.#check(request(key, value));
  }
}

function invalidExtra(extra: WantedUser["extra"]): string | undefined {
  for (const [key, values] of extra) {
    if (key === "") return "impersonating the empty string key in extra is not allowed";
    const problem = domainPrefixedPathProblem(key);
    if (problem !== undefined)
      return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${JSON.stringify(key)}: ${problem}`;
    if (values.length === 0) return "impersonating empty values in extra is not allowed";
    if (values.includes("")) return "impersonating the empty string value in extra is not allowed";
  }
  return undefined;
}

function domainPrefixedPathProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  if (slash < 0 || slash === key.length - 1 || slash === 0) return 'must be a domain-prefixed path (such as "acme.io/foo")';
  if (!isDnsSubdomain(key.slice(0, slash)))
    return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";
  return /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(key.slice(slash + 1)) ? undefined : "Invalid path";
}

/** The groups that the impersonated user really gets. */
function effectiveGroups(wanted: WantedUser, mode: Mode): string[] {
  const account = splitServiceAccount(wanted.user);
  let groups = [...wanted.groups];
  if (mode.constrained && nodeName(wanted.user) !== undefined) groups = ["system:nodes"];
  else if (account !== undefined && groups.length === 0) {
    groups = ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`];
  }
  const needed = wanted.user === "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
  const told = groups.includes(needed) || groups.includes("system:unauthenticated");
  return told ? groups : [...groups, needed];
}

function attempt(
  mode: Mode,
  wanted: WantedUser,
  requestor: Requestor,
  authorizer: Authorizer,
  on: RequestAttributes | undefined,
): EffectiveUser {
  if (on !== undefined) check(authorizer, { ...on, verb: `impersonate-on:${mode.name}:${on.verb}` });
  const checks = new WantedUserChecks(mode, requestor, authorizer);
  checks.user(wanted);
  checks.uid(wanted.uid);
  checks.groups(wanted.groups);
  checks.extra(wanted.extra);
  return { user: wanted.user, uid: wanted.uid, groups: effectiveGroups(wanted, mode), extra: wanted.extra };
}

/** Constrained impersonation (KEP-5284, on since 1.36): each mode that applies is tried, legacy last; the first refusal is told. */
export function impersonate(
  headers: HeaderFields,
  requestor: Requestor,
  on: RequestAttributes,
  authorizer: Authorizer,
): Impersonation {
  const wanted = wantedUser(headers);
  if (wanted.user === "") return nobodyWanted(wanted, describeUserInfo);
  let first: string | undefined;
  for (const mode of modes) {
    if (!mode.applies(wanted, requestor)) continue;
    try {
      const user = attempt(mode, wanted, requestor, authorizer, mode.constrained ? on : undefined);
      return { kind: "allowed", user, constraint: mode.constrained ? mode.verb : "" };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      first ??= error.message;
    }
  }
  return { kind: "refused", status: 403, message: first ?? "all impersonation modes failed" };
}

/** Impersonation before 1.36: users, groups, extra, then UID, each by the verb `impersonate`. */
export function impersonateLegacy(headers: HeaderFields, requestor: Requestor, authorizer: Authorizer): Impersonation {
  const wanted = wantedUser(headers);
  if (wanted.user === "") return nobodyWanted(wanted, describeReferences);
  try {
    const checks = new WantedUserChecks(legacy, requestor, authorizer);
    checks.user(wanted);
    checks.groups(wanted.groups);
    checks.extra(wanted.extra);
    checks.uid(wanted.uid);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { kind: "refused", status: 403, message: error.message };
  }
  const user = { user: wanted.user, uid: wanted.uid, groups: effectiveGroups(wanted, legacy), extra: wanted.extra };
  return { kind: "allowed", user, constraint: "" };
}

function nobodyWanted(wanted: WantedUser, describe: (wanted: WantedUser) => string): Impersonation {
  return onlyUser(wanted) ? { kind: "none" } : { kind: "refused", status: 400, message: describe(wanted) };
}

const goStrings = (list: readonly string[]) => `[]string{${list.map((s) => JSON.stringify(s)).join(", ")}}`;

function describeUserInfo({ uid, groups, extra }: WantedUser): string {
  const pairs = [...extra].map(([key, values]) => `${JSON.stringify(key)}:${goStrings(values)}`).join(", ");
  const groupText = groups.length === 0 ? "[]string(nil)" : goStrings(groups);
  const extraText = extra.size === 0 ? "map[string][]string(nil)" : `map[string][]string{${pairs}}`;
  return `requested &user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:${extraText}} without impersonating a user name`;
}

function describeReferences({ uid, groups, extra }: WantedUser): string {
  const references = [
    ...groups.map((group) => `{Group  ${group}    }`),
    ...[...extra].flatMap(([key, values]) => values.map((value) => `{UserExtra  ${value}  authentication.k8s.io/v1  ${key}}`)),
    ...(uid === "" ? [] : [`{UID  ${uid}  authentication.k8s.io/v1  }`]),
  ];
  return `requested [${references.join(" ")}] without impersonating a user`;
}
