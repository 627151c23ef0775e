import { dueAt } from "../../access/machine/grant.ts";
import type { AccessRequest } from "../../access/request.ts";
import type { Instant } from "../../core/host.ts";

interface Followed {
  readonly request: AccessRequest;
  /** The time that held when `ticks` were read. */
  readonly at: Instant;
  readonly ticks: number;
}

/**
 * Requests that time will change. Each is followed on a clock that only goes forward, so that one of the machine that is set
 * back gives no grant a minute more; one that is set ahead ends grants early.
 */
export class OpenRequests {
  readonly #ticks: () => number;
  readonly #followed = new Map<string, Followed>();

  /** `ticks`: milliseconds that pass evenly, whatever is done to the clock. */
  constructor(ticks: () => number) {
    this.#ticks = ticks;
  }

  /** The newest state of a request. */
  take(request: AccessRequest, now: Instant): void {
    const known = this.#followed.get(request.id);
    if (known !== undefined && known.request.revision > request.revision) return;
    if (dueAt(request) === undefined) this.#followed.delete(request.id);
    else this.#followed.set(request.id, { request, at: Math.max(request.seen, this.at(request, now)), ticks: this.#ticks() });
  }

  /** The time that holds for a request. */
  at({ id }: Pick<AccessRequest, "id">, now: Instant): Instant {
    const known = this.#followed.get(id);
    return known === undefined ? now : Math.max(now, known.at + this.#ticks() - known.ticks);
  }

  /** Those whose time has come. */
  due(now: Instant): readonly AccessRequest[] {
    return this.all().filter((request) => this.at(request, now) >= (dueAt(request) ?? Number.POSITIVE_INFINITY));
  }

  all(): readonly AccessRequest[] {
    return [...this.#followed.values()].map(({ request }) => request);
  }
}
