import { useEffect, useState } from "react";
import type { Severity } from "../../src/core/finding.ts";
import type { RecordEvidence, RecordView } from "../../src/services/audit/ledger-view.ts";
import type { FindingRow, Overview } from "../../src/services/console/finding-view.ts";
import type { PolicyRow } from "../../src/services/console/policy-view.ts";
import { setServerTime } from "./clock.ts";

export type { FindingRow, PolicyRow, RecordEvidence, RecordView, Severity };

export interface OverviewAnswer extends Overview {
  /** Those that are governed. */
  readonly clusters: readonly string[];
  readonly objects: number;
  readonly policies: number;
  readonly records: number;
}

export interface FindingDetail extends FindingRow {
  readonly url?: string;
  readonly at: readonly (string | number)[];
  readonly evidence?: object;
  readonly fix?: { readonly description: string; readonly patch?: readonly object[]; readonly object?: object };
  readonly location?: { readonly file: string; readonly line: number; readonly column: number };
  readonly object?: object;
}

/** What a request came to: nothing yet, an answer, or why there is none. */
export interface Loading<T> {
  readonly value?: T;
  readonly problem?: string;
}

async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal, headers: { accept: "application/json" } });
  setServerTime(response.headers.get("date"));
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw new Error(body?.message ?? `the server answered ${response.status}`);
  return body as T;
}

/** The answer of a path, asked again whenever the server says that something changed; the old one stays meanwhile. */
export function useAnswer<T>(path: string): Loading<T> {
  const [state, setState] = useState<Loading<T>>({});
  const version = useServerChanges();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change on the server is a reason to ask again.
  useEffect(() => {
    const abort = new AbortController();
    get<T>(path, abort.signal).then(
      (value) => setState({ value }),
      (error: Error) => {
        if (!abort.signal.aborted) setState((before) => ({ ...before, problem: error.message }));
      },
    );
    return () => abort.abort();
  }, [path, version]);
  return state;
}

const listeners = new Set<() => void>();
let source: EventSource | undefined;

/** Counts the server's change events; one connection serves all who listen. */
function useServerChanges(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const listener = () => setVersion((n) => n + 1);
    listeners.add(listener);
    if (source === undefined) {
      source = new EventSource("/api/v1/events");
      let first = true;
      source.addEventListener("change", () => {
        if (first) first = false;
        else for (const each of listeners) each();
      });
    }
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return version;
}

/** A query string of the members that are set. */
export function query(parameters: { readonly [name: string]: string | number | readonly string[] | undefined }): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === "") continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(name, String(item));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}
