import { randomBytes } from "node:crypto";
import type { Finding } from "../core/finding.ts";
import type { Instant } from "../core/host.ts";
import type { JsonObject } from "../core/json.ts";
import { type KubernetesObject, uidOf } from "../core/kubernetes.ts";
import type { ClusterWriter } from "../services/live/cluster-writer.ts";

export interface EventWriterOptions {
  readonly writer: Pick<ClusterWriter, "create">;
  /** The object that a finding is about, as it is stored; undefined where it is gone. */
  readonly objectOf: (finding: Finding) => KubernetesObject | undefined;
  /** Which of several replicas this is. */
  readonly instance: string;
  readonly now: () => Instant;
  readonly onTrouble: (error: unknown) => void;
}

/** Events are for people who look: of a flood a hundred, and then five a second. */
const burst = 100;
const perSecond = 5;
const tellMilliseconds = 60_000;
/** The API server refuses longer notes. */
const mostNoteBytes = 1024;

/** Tells of new findings by Kubernetes Events about their objects, so that `kubectl describe` shows them. */
export class EventWriter {
  readonly #options: EventWriterOptions;
  #left = burst;
  #counted: Instant;
  #dropped = 0;
  #told: Instant = 0;
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;
  #stopped = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#counted = options.now();
  }

  take(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.status !== "fail" && finding.status !== "warn") continue;
      const object = this.#options.objectOf(finding);
      if (object === undefined) continue;
      if (!this.#mayWrite()) this.#dropped++;
      else this.#write(eventOf(finding, object, this.#options));
    }
    this.#tellDropped();
  }

  /** Resolves when what is under way is written; the rest is left. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#writing;
  }

  #write(event: JsonObject): void {
    const { writer, onTrouble } = this.#options;
    this.#waiting++;
    this.#writing = this.#writing.then(async () => {
      this.#waiting--;
      if (!this.#stopped) await writer.create(event).catch(onTrouble);
    });
  }

  #mayWrite(): boolean {
    const now = this.#options.now();
    const passed = Math.max(0, now - this.#counted) / 1000;
    this.#left = Math.min(burst, this.#left + passed * perSecond);
    this.#counted = now;
    // Where the API server is slow they are not gathered for later.
    if (this.#left < 1 || this.#waiting >= burst) return false;
    this.#left--;
    return true;
  }

  #tellDropped(): void {
    const now = this.#options.now();
    if (this.#dropped === 0 || now - this.#told < tellMilliseconds) return;
    this.#options.onTrouble(
      new Error(`${this.#dropped} findings got no Event, as there were too many at once; reports have them all`),
    );
    this.#told = now;
    this.#dropped = 0;
  }
}

/** As `events.k8s.io/v1` has it; of an object without a namespace it stands in `default`, where kubectl looks for it. */
function eventOf({ check, resource, message }: Finding, object: KubernetesObject, options: EventWriterOptions): JsonObject {
  const { name, namespace } = resource;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: {
      name: `castellan-${randomBytes(8).toString("hex")}`,
      namespace: namespace === "" ? "default" : namespace,
    },
    type: "Warning",
    reason: "PolicyViolation",
    action: "Judge",
    note: shortened(`${check.policy}/${check.rule}: ${message}`),
    regarding: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      uid: uidOf(object),
      ...(namespace === "" ? {} : { namespace }),
    },
    reportingController: "castellan.dev/server",
    reportingInstance: options.instance,
    eventTime: new Date(options.now()).toISOString().replace("Z", "000Z"),
  };
}

function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= mostNoteBytes) return text;
  // A character that is cut in two becomes the sign for that, and goes.
  return `${bytes
    .subarray(0, mostNoteBytes - 3)
    .toString()
    .replace(/\uFFFD$/, "")}...`;
}
