import { compileWildcard } from "./wildcard.ts";

/** Which resources a document is about, as webhooks write them: `pods`, `pods/exec`, `pods/*`, `*` (no subresources), `* /*` (all). */
export interface ResourceRuleSpec {
  /** Exact, or `*`; the core group is empty. */
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** With `*` and `?`; a name that the server makes is matched by its beginning. */
  readonly resourceNames?: readonly string[] | undefined;
}

export interface NamedResource {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** The beginning of a name that the server makes. */
  readonly generateName: string;
}

/** What rules take for the verb: the API server's proxies lead to other programs, whatever the HTTP method. */
export const effectiveVerb = (verb: string, subresource: string): string => (subresource === "proxy" ? "proxy" : verb);

function resourceMatcher(text: string): (resource: string, subresource: string) => boolean {
  const [resource = "", subresource = ""] = text.split("/");
  return (r, s) => (resource === "*" || resource === r) && (subresource === "*" ? s !== "" || text === "*/*" : subresource === s);
}

/**
 * Whether a name is meant. A name that is still to be made could become any that begins so: what restricts names for
 * permission must not be dodged by it, so `whenOpen` says what counts where that is not certain.
 */
function nameMatcher(patterns: readonly string[], whenOpen: boolean): (target: NamedResource) => boolean {
  const matchers = patterns.map((pattern) => ({ pattern, matches: compileWildcard(pattern) }));
  return ({ name, generateName }) => {
    if (name !== "") return matchers.some(({ matches }) => matches(name));
    if (generateName === "") return whenOpen;
    return whenOpen
      ? matchers.some(({ pattern }) => mayBegin(pattern, generateName))
      : matchers.some(
          ({ pattern }) =>
            pattern.endsWith("*") && generateName.startsWith(pattern.slice(0, -1)) && !/[*?]/.test(pattern.slice(0, -1)),
        );
  };
}

/** Whether some name that begins so fits the pattern. */
function mayBegin(pattern: string, beginning: string): boolean {
  const wild = pattern.search(/[*?]/);
  const fixed = wild < 0 ? pattern : pattern.slice(0, wild);
  return fixed.startsWith(beginning) || beginning.startsWith(fixed);
}

/**
 * Compiles resource rules. `whenOpen`: what holds where a name is restricted but not known (a collection, `generateName`):
 * true for what restricts, false for what allows.
 */
export function compileResourceRules(rules: readonly ResourceRuleSpec[], whenOpen: boolean): (target: NamedResource) => boolean {
  const compiled = rules.map(({ apiGroups, resources, resourceNames }) => {
    const named = resources.map(resourceMatcher);
    const fits = resourceNames === undefined || resourceNames.length === 0 ? () => true : nameMatcher(resourceNames, whenOpen);
    return (target: NamedResource) =>
      (apiGroups.includes("*") || apiGroups.includes(target.group)) &&
      named.some((matches) => matches(target.resource, target.subresource)) &&
      fits(target);
  });
  return (target) => compiled.some((matches) => matches(target));
}
