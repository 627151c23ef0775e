import type { JsonObject } from "../../core/json.ts";
import type { Preview, Stopped } from "./preview.ts";

/** How many a candidate stops in one team, namespace or of one user. */
export interface StoppedBy {
  readonly name: string;
  readonly objects: number;
}

export interface PreviewSummary {
  readonly teams: readonly StoppedBy[];
  readonly namespaces: readonly StoppedBy[];
  readonly users: readonly StoppedBy[];
}

/** Whom a preview stops, the most disturbed first; what nobody knows the team or user of is left out there. */
export function summarise(stopped: readonly Stopped[]): PreviewSummary {
  return {
    teams: counted(stopped, ({ team }) => team),
    namespaces: counted(stopped, ({ namespace }) => namespace),
    users: counted(stopped, ({ user }) => user),
  };
}

function counted(stopped: readonly Stopped[], by: (one: Stopped) => string): readonly StoppedBy[] {
  const objects = new Map<string, Set<string>>();
  for (const one of stopped) {
    const key = by(one);
    if (key === "") continue;
    const names = objects.get(key) ?? new Set();
    objects.set(key, names);
    names.add(`${one.kind}/${one.namespace}/${one.name}`);
  }
  return [...objects]
    .map(([name, names]) => ({ name, objects: names.size }))
    .sort((a, b) => b.objects - a.objects || (a.name < b.name ? -1 : 1));
}

/** What the ledger keeps of a preview: counts, and names where they are few. */
export function evidenceOf(preview: Preview): JsonObject {
  const { teams, namespaces, users } = summarise([...preview.stopped, ...preview.undecided]);
  const few = (list: readonly StoppedBy[]): JsonObject =>
    Object.fromEntries(list.slice(0, 50).map(({ name, objects }) => [name, objects]));
  return {
    judged: { ...preview.judged },
    notReplayed: preview.notReplayed,
    stopped: preview.stopped.length,
    undecided: preview.undecided.length,
    excepted: preview.excepted,
    teams: few(teams),
    namespaces: few(namespaces),
    users: few(users),
  };
}
