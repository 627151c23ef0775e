import type { Finding } from "../core/finding.ts";
import { asString, isObject, type JsonObject, member } from "../core/json.ts";
import { formatRef } from "../core/kubernetes.ts";
import { type ReportKinds, reportFor, reportKinds } from "../report/policy-report.ts";
import type { ClusterWriter } from "../services/live/cluster-writer.ts";

export interface ReportWriterOptions {
  readonly writer: Pick<ClusterWriter, "serves" | "list" | "apply" | "remove">;
  readonly findings: () => Iterable<Finding>;
  readonly tool: { readonly name: string; readonly version: string };
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

const pauseMilliseconds = 1000;
const label = "app.kubernetes.io/managed-by";

/** A report in the cluster. */
interface Written {
  readonly kinds: ReportKinds;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** What it says but for its time; undefined where an earlier run wrote it. */
  readonly text?: string;
}

/**
 * Keeps one report for each object with findings, of the first of the kinds of reports that the cluster serves, as Policy
 * Reporter shows them. Only what changed is looked at, and only reports that differ are written; those whose object has no
 * finding any more are deleted.
 */
export class ReportWriter {
  readonly #options: ReportWriterOptions;
  /** By the object that they are about; those of an earlier run by their own names. */
  readonly #written = new Map<string, Written>();
  /** Objects whose findings changed; undefined: all may have. */
  #changed: Set<string> | undefined;
  #kinds: ReportKinds | undefined;
  #due: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ReportWriterOptions) {
    this.#options = options;
  }

  /** Reports that an earlier run left are known afterwards, so that they are updated or deleted. */
  async start(): Promise<void> {
    const { writer, tool } = this.#options;
    for (const kinds of reportKinds)
      for (const kind of [kinds.namespaced, kinds.cluster])
        for (const report of await writer.list(kinds.group, kind, `${label}=${tool.name}`)) {
          const written = writtenOf(report, kinds);
          this.#written.set(nameOf(written), written);
        }
    this.#soon();
  }

  /** Findings about these objects have changed; they are written after a moment, so that many changes are one. */
  changed(findings: readonly Pick<Finding, "resource">[]): void {
    for (const { resource } of findings) this.#changed?.add(formatRef(resource));
    this.#soon();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#due);
    await this.#writing;
  }

  #soon(): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined;
      this.#writing = this.#writing.then(() => this.#write()).catch(this.#options.onTrouble);
    }, pauseMilliseconds).unref();
  }

  async #write(): Promise<void> {
    const { writer, findings } = this.#options;
    const kinds = reportKinds.find(({ group, cluster }) => writer.serves(group, cluster));
    // Where no kind is served yet, all of it is written when one is.
    if (kinds === undefined) return;
    const changed = kinds === this.#kinds ? this.#changed : undefined;
    this.#kinds = kinds;
    this.#changed = new Set();
    try {
      const about = new Map<string, Finding[]>();
      for (const finding of findings()) {
        const ref = formatRef(finding.resource);
        if (changed?.has(ref) === false) continue;
        const known = about.get(ref);
        if (known === undefined) about.set(ref, [finding]);
        else known.push(finding);
      }
      for (const [ref, found] of about) await this.#report(ref, found, kinds);
      for (const ref of changed ?? this.#written.keys()) if (!about.has(ref)) await this.#remove(ref);
    } catch (error) {
      // Which of them were written is known, so that looking at all of them again writes only the others.
      this.#changed = undefined;
      throw error;
    }
  }

  async #report(ref: string, findings: readonly Finding[], kinds: ReportKinds): Promise<void> {
    const { writer, tool, now } = this.#options;
    // The time of the look is no difference.
    const text = JSON.stringify(reportFor(findings, { tool, at: 0 }, kinds));
    const before = this.#written.get(ref);
    if (before?.text === text) return;
    const report = reportFor(findings, { tool, at: now() }, kinds);
    if (!isObject(report) || !(await writer.apply(report))) return;
    const written = writtenOf(report, kinds);
    if (before !== undefined && nameOf(before) !== nameOf(written)) await this.#remove(ref);
    this.#written.delete(nameOf(written));
    this.#written.set(ref, { ...written, text });
  }

  async #remove(key: string): Promise<void> {
    const written = this.#written.get(key);
    if (written === undefined) return;
    await this.#options.writer.remove(written.kinds.group, written.kind, written.namespace, written.name);
    this.#written.delete(key);
  }
}

function writtenOf(report: JsonObject, kinds: ReportKinds): Written {
  const text = (key: string) => asString(member(report["metadata"], key)) ?? "";
  return { kinds, kind: asString(report["kind"]) ?? "", namespace: text("namespace"), name: text("name") };
}

const nameOf = ({ kinds, kind, namespace, name }: Written): string => `${kinds.group}/${kind}/${namespace}/${name}`;
