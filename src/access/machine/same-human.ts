import { type Person, personKey } from "../person.ts";

/**
 * Whether two logins must be taken for one human, so that nobody approves for themselves or counts twice. Stricter than
 * `Person.human`: a user name or an e-mail address in common is enough to refuse, though never to allow anything.
 */
export function sameHuman(a: Person, b: Person): boolean {
  const mail = (person: Person) => person.email?.trim().toLowerCase() || undefined;
  return (
    a.human === b.human || personKey(a) === personKey(b) || a.user === b.user || (mail(a) !== undefined && mail(a) === mail(b))
  );
}
