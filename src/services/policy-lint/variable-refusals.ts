import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import { entries, type PolicyIssue, type PolicyView, type RuleView, refused } from "./policy-view.ts";

/** Innermost variables: what stands around them is only known when they are. */
const variable = /(?<!\\)\{\{([^{}]*)\}\}/g;
/** What a function returns cannot be told from its name, so Kyverno lets every call pass. */
const call = "([a-z_0-9]+\\()[^{}]";
const inBackground = ["request\\.", "element", "elementIndex", "@", "images", "images\\.", "image\\.", call];
const always = [
  "request",
  "serviceAccountName",
  "serviceAccountNamespace",
  "element",
  "elementIndex",
  "@",
  "images",
  "image",
  call,
];
const target = ["target\\."];
/** What only a request knows: who asks. */
const aboutUser = /[^.](?:serviceAccountName|serviceAccountNamespace|request.userInfo|request.roles|request.clusterRoles)\b/;

/** A text with variables, and where it stands. */
interface Text {
  readonly text: string;
  readonly path: JsonPath;
}

/** Variables that Kyverno does not know, does not know in the background, or does not allow where they stand. */
export function variableRefusals(policy: PolicyView, background: boolean): readonly PolicyIssue[] {
  const changesExisting = policy.rules.some(({ rule }) => isArray(member(rule["mutate"], "targets")));
  return policy.rules.flatMap((view) => {
    const known = knownIn(view.rule);
    const hasTargets = isArray(member(view.rule["mutate"], "targets"));
    const allowed = new RegExp([...(background ? inBackground : always), ...(hasTargets ? target : [])].join("|"));
    return textsOf(view).flatMap(({ text, path }) => {
      const place = forbiddenPlace(path);
      return [...text.matchAll(variable)].flatMap(([whole, inner = ""]): readonly PolicyIssue[] => {
        if (place !== undefined) return [refused(path, `${place} cannot hold variables (${whole})`, "Write the value itself.")];
        if (background && !changesExisting && aboutUser.test(whole))
          return [refused(path, `${whole} is not known in a background scan`, "Write spec.background: false.")];
        const expression = inner.replaceAll('"', "").trim().replace(/^-/, "").trim();
        if (expression === "" || allowed.test(expression) || known.some((name) => matchWildcard(name, expression))) return [];
        const also = background ? always : [];
        const fix =
          also.length > 0 && new RegExp(also.join("|")).test(expression)
            ? "Write spec.background: false."
            : "Declare it under context, or correct its name.";
        return [refused(path, `it has no variable ${whole}`, fix)];
      });
    });
  });
}

/** `match`, `exclude` and image references are taken as they are. */
function forbiddenPlace(path: JsonPath): string | undefined {
  const [, , , block, , field] = path;
  if (block === "match" || block === "exclude") return String(block);
  return block === "verifyImages" && (field === "image" || field === "imageReferences") ? `verifyImages.${field}` : undefined;
}

/** Names that the rule declares, as wildcard patterns. */
function knownIn(rule: JsonObject): readonly string[] {
  const loops = [
    ...entries(member(rule["validate"], "foreach"), []),
    ...entries(member(rule["mutate"], "foreach"), []),
    ...entries(member(rule["mutate"], "targets"), []),
    ...entries(member(rule["generate"], "foreach"), []),
  ];
  const contexts = [rule["context"], ...loops.map(([loop]) => member(loop, "context"))];
  const declared = contexts.flatMap((context) => entries(context, []).flatMap(([entry]) => namesOf(entry)));
  const attestations = entries(rule["verifyImages"], []).flatMap(([entry]) => entries(member(entry, "attestations"), []));
  return [...declared, ...attestations.map(([one]) => `${asString(member(one, "name")) ?? ""}*`).filter((name) => name !== "*")];
}

function namesOf(entry: JsonValue): readonly string[] {
  const name = asString(member(entry, "name"));
  if (name === undefined) return [];
  if (member(entry, "configMap") === undefined) return [`${name}*`];
  return [`${name}.data`, `${name}.metadata`, `${name}.data.*`, `${name}.metadata.*`];
}

/** Every text and key of a rule, without the conditions of attestations: their names come from the attestation. */
function textsOf({ rule, path }: RuleView): readonly Text[] {
  const texts: Text[] = [];
  const walk = (value: JsonValue | undefined, at: JsonPath) => {
    if (typeof value === "string") {
      if (value.includes("{{")) texts.push({ text: value, path: at });
    } else if (isArray(value)) for (const [i, item] of value.entries()) walk(item, [...at, i]);
    else if (isObject(value)) {
      for (const [key, member] of Object.entries(value)) {
        if (key.includes("{{")) texts.push({ text: key, path: [...at, key] });
        if (!(key === "conditions" && at.includes("attestations"))) walk(member, [...at, key]);
      }
    }
  };
  walk(rule, path);
  return texts;
}
