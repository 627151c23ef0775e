import type { Finding } from "../core/finding.ts";
import { asString, isObject, type JsonObject, member } from "../core/json.ts";
import { formatRef } from "../core/kubernetes.ts";
import { reportFor } from "../report/policy-report.ts";
import type { ClusterWriter } from "../services/live/cluster-writer.ts";

export interface ReportWriterOptions {
  readonly writer: ClusterWriter;
  readonly findings: () => Iterable<Finding>;
  readonly tool: { readonly name: string; readonly version: string };
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

const group = "wgpolicyk8s.io";
const pauseMilliseconds = 1000;
const label = "app.kubernetes.io/managed-by";

/**
 * Keeps one PolicyReport for each object with findings (ClusterPolicyReport for cluster-scoped ones), as Policy Reporter
 * shows them. Only reports that differ are written; those whose object has no finding any more are deleted.
 */
export class ReportWriter {
  readonly #options: ReportWriterOptions;
  readonly #written = new Map<string, string>();
  #due: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ReportWriterOptions) {
    this.#options = options;
  }

  /** Reports that an earlier run left are known afterwards, so that they are updated or deleted. */
  async start(): Promise<void> {
    for (const kind of ["PolicyReport", "ClusterPolicyReport"]) {
      const found = await this.#options.writer.list(group, kind, `${label}=${this.#options.tool.name}`);
      for (const report of found) this.#written.set(keyOf(report), "");
    }
    this.changed();
  }

  /** Findings have changed; they are written after a moment, so that many changes are one. */
  changed(): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined;
      this.#writing = this.#writing.then(() => this.#write()).catch(this.#options.onTrouble);
    }, pauseMilliseconds).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#due);
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { writer, findings, tool, now } = this.#options;
    const left = new Set(this.#written.keys());
    for (const about of Map.groupBy(findings(), (finding) => formatRef(finding.resource)).values()) {
      // The time of the look is no difference.
      const timeless = reportFor(about, { tool, at: 0 });
      if (!isObject(timeless)) continue;
      const key = keyOf(timeless);
      left.delete(key);
      const text = JSON.stringify(timeless);
      if (this.#written.get(key) === text) continue;
      const report = reportFor(about, { tool, at: now() });
      if (!isObject(report)) continue;
      // Where the kind is not served yet, it is written when it is.
      if (await writer.apply(report)) this.#written.set(key, text);
    }
    for (const key of left) {
      const [kind = "", namespace = "", name = ""] = key.split("/");
      await writer.remove(group, kind, namespace, name);
      this.#written.delete(key);
    }
  }
}

function keyOf(report: JsonObject): string {
  const text = (key: string) => asString(member(report["metadata"], key)) ?? "";
  return `${asString(report["kind"])}/${text("namespace")}/${text("name")}`;
}
