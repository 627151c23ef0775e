import { isLive } from "../../access/machine/grant.ts";
import type { AccessRequest, Ask } from "../../access/request.ts";
import type { Action } from "../../core/action.ts";
import type { Instant } from "../../core/host.ts";
import { nameOf, parseApiVersion } from "../../core/kubernetes.ts";
import { type Excuse, policyName } from "../../engine/index.ts";
import type { CompiledPolicy, CompiledRule } from "../../policies/policy.ts";
import { isGuardrail } from "../admission/approvals.ts";
import type { AccessDesk } from "./desk.ts";

type ExceptionAsk = Extract<Ask, { readonly type: "exception" }>;

/** The object that an exception is about. */
export type ExceptedObject = ExceptionAsk["object"];

interface LiveException {
  readonly request: AccessRequest;
  readonly ask: ExceptionAsk;
}

/** The name of an object that the server has still to make fits nothing: an exception is for one object. */
function isAbout({ object }: ExceptionAsk, { target, object: after, oldObject }: Action): boolean {
  const subject = after ?? oldObject;
  const name = target.name || (subject === undefined ? "" : nameOf(subject));
  return (
    target.subresource === "" &&
    object.name !== "" &&
    object.name === name &&
    object.namespace === target.namespace &&
    object.kind === target.kind &&
    parseApiVersion(object.apiVersion).group === target.group
  );
}

function isFrom({ policy, rules }: ExceptionAsk, compiled: CompiledPolicy, rule: CompiledRule): boolean {
  // Guardrails are lifted call by call.
  if (isGuardrail(compiled)) return false;
  const named = policy.includes("/") ? policy === policyName(compiled.id) : policy === compiled.id.name;
  return named && (rules.length === 0 || rules.includes(rule.name));
}

export interface LiveExceptionsOptions {
  readonly desk: Pick<AccessDesk, "exceptions" | "onChange" | "onLock">;
  readonly cluster: string;
  readonly now: () => Instant;
  /** An object whose verdict may be another now. */
  readonly onObject: (object: ExceptedObject) => void;
  readonly onTrouble: (error: Error) => void;
}

/** The approved exceptions of one cluster, in memory and kept up to date: admission cannot wait for the database. */
export class LiveExceptions {
  readonly #options: LiveExceptionsOptions;
  readonly #live = new Map<string, LiveException>();
  readonly #ends: (() => void)[] = [];

  constructor(options: LiveExceptionsOptions) {
    this.#options = options;
  }

  /** Resolves when those that there are already are known. */
  async start(): Promise<void> {
    const { desk } = this.#options;
    this.#ends.push(
      desk.onChange((request) => this.#take(request)),
      desk.onLock(() => {
        this.#reload().catch(this.#options.onTrouble);
      }),
    );
    await this.#reload();
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Undefined: there is none for the object of this action. */
  excuseFor(action: Action): Excuse | undefined {
    if (this.#live.size === 0) return undefined;
    const now = this.#options.now();
    const about = [...this.#live.values()].filter(({ request, ask }) => isAbout(ask, action) && isLive(request, now));
    if (about.length === 0) return undefined;
    return (policy, rule) => {
      const found = about.find(({ ask }) => isFrom(ask, policy, rule));
      return found === undefined ? undefined : `exception ${found.request.id}`;
    };
  }

  /** Who is locked out loses exceptions, too; which those are the desk knows. */
  async #reload(): Promise<void> {
    const live = await this.#options.desk.exceptions(this.#options.cluster);
    const kept = new Set(live.map(({ id }) => id));
    for (const id of [...this.#live.keys()]) if (!kept.has(id)) this.#drop(id);
    for (const request of live) this.#take(request);
  }

  #take(request: AccessRequest): void {
    const { ask } = request;
    if (ask.type !== "exception" || request.cluster !== this.#options.cluster) return;
    if (request.phase !== "granted") this.#drop(request.id);
    else {
      const known = this.#live.has(request.id);
      this.#live.set(request.id, { request, ask });
      if (!known) this.#options.onObject(ask.object);
    }
  }

  #drop(id: string): void {
    const gone = this.#live.get(id);
    if (gone === undefined) return;
    this.#live.delete(id);
    this.#options.onObject(gone.ask.object);
  }
}
