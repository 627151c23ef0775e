import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { problemAt, type Resource, readResource } from "../../core/resource-kind.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type Person, personKey } from "../person.ts";
import { type DirectorySpec, directoryKind, type PersonSpec } from "./directory-kind.ts";

/** Humans and their logins. */
export interface Directory {
  /** Whose login `issuer#subject` is; undefined where nobody is listed with it. */
  humanOfKey(key: string): string | undefined;
  /** The one human behind a login; `issuer#subject` where nobody is listed with it. */
  humanOf(login: Pick<Person, "issuer" | "subject">): string;
  person(human: string): PersonSpec | undefined;
  /** The team of a listed human, or the only one whose groups say so. */
  teamOf(human: string, groups: readonly string[]): string | undefined;
  team(name: string): { readonly humans: readonly string[]; readonly groups: readonly string[] };
  /** Humans of whom nobody says which team they are of. */
  readonly teamless: readonly string[];
}

class ReadDirectory implements Directory {
  readonly #people = new Map<string, PersonSpec>();
  readonly #logins = new Map<string, string>();
  readonly #groups = new Map<string, readonly string[]>();

  /** Reports each contradiction where it stands. */
  add({ spec, document }: Resource<DirectorySpec>, problems: Diagnostic[]): void {
    const report = (path: readonly (string | number)[], message: string) =>
      problems.push(problemAt(document, ["spec", ...path], message, "DIRECTORY_INVALID"));
    for (const [i, person] of spec.people.entries()) {
      if (this.#people.has(person.id)) report(["people", i, "id"], `${person.id} is listed twice`);
      this.#people.set(person.id, person);
      for (const [j, alias] of (person.aliases ?? []).entries()) {
        const key = personKey(alias);
        const other = this.#logins.get(key);
        if (other !== undefined) report(["people", i, "aliases", j], `${key} is a login of ${other}, too`);
        this.#logins.set(key, person.id);
      }
    }
    for (const [i, { name, groups }] of (spec.teams ?? []).entries()) {
      if (this.#groups.has(name)) report(["teams", i, "name"], `${name} is listed twice`);
      this.#groups.set(name, groups);
    }
  }

  check({ spec, document }: Resource<DirectorySpec>, problems: Diagnostic[]): void {
    for (const [i, { id, manager }] of spec.people.entries()) {
      if (manager === undefined) continue;
      const path = ["spec", "people", i, "manager"];
      if (manager === id) problems.push(problemAt(document, path, `${id} leads nobody but themselves`, "DIRECTORY_INVALID"));
      else if (!this.#people.has(manager)) {
        problems.push(problemAt(document, path, `there is no ${JSON.stringify(manager)} in the directory`, "DIRECTORY_INVALID"));
      }
    }
  }

  humanOfKey(key: string): string | undefined {
    return this.#logins.get(key);
  }

  humanOf(login: Pick<Person, "issuer" | "subject">): string {
    return this.#logins.get(personKey(login)) ?? personKey(login);
  }

  person(human: string): PersonSpec | undefined {
    return this.#people.get(human);
  }

  teamOf(human: string, groups: readonly string[]): string | undefined {
    const listed = this.#people.get(human)?.team;
    if (listed !== undefined) return listed;
    const [only, second] = [...this.#groups].filter(([, own]) => own.some((group) => groups.includes(group)));
    return second === undefined ? only?.[0] : undefined;
  }

  get teamless(): readonly string[] {
    return [...this.#people.values()].filter(({ team }) => team === undefined).map(({ id }) => id);
  }

  team(name: string): { readonly humans: readonly string[]; readonly groups: readonly string[] } {
    const humans = [...this.#people.values()].filter((person) => person.team === name).map(({ id }) => id);
    return { humans, groups: this.#groups.get(name) ?? [] };
  }
}

/** Reads the Directory documents, which complete each other. */
export function compileDirectory(documents: readonly SourceDocument[]): Loaded<Directory> {
  const directory = new ReadDirectory();
  const problems: Diagnostic[] = [];
  const read: Resource<DirectorySpec>[] = [];
  for (const document of documents) {
    const one = readResource(document, directoryKind);
    if (one.ok) read.push(one.value);
    else problems.push(...one.diagnostics);
  }
  for (const one of read) directory.add(one, problems);
  for (const one of read) directory.check(one, problems);
  return problems.length > 0 ? failed(...problems) : loaded(directory);
}
