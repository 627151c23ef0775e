import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { andList, type Statement, statement } from "./explanation.ts";
import { conditionTexts, expressionText } from "./kyverno-conditions.ts";
import { patternWords } from "./kyverno-pattern.ts";

/** What the part of a rule that acts does: `validate`, `mutate`, `generate`, `verifyImages`. */
export function actionStatements(rule: JsonObject): readonly Statement[] {
  const { validate, mutate, generate, verifyImages } = rule;
  return [
    ...(isObject(validate) ? validateStatements(validate) : []),
    ...(isObject(mutate) ? mutateStatements(mutate) : []),
    ...(isObject(generate) ? generateStatements(generate) : []),
    ...(isArray(verifyImages) ? verifyImages.flatMap(verifyStatements) : []),
  ];
}

function validateStatements(validate: JsonObject): readonly Statement[] {
  return [
    ...checkStatements(validate),
    ...podSecurityStatements(validate["podSecurity"]),
    ...celStatements(validate["cel"]),
    ...(validate["manifests"] === undefined ? [] : statement("Requires", "a signature over the manifest itself")),
    ...(validate["assert"] === undefined ? [] : statement("Requires", "the assertions of its `assert` tree to hold")),
    ...statement("Else says", ...texts(validate["message"])),
  ];
}

/** What a rule and each of its loops may hold alike. */
function checkStatements(check: JsonValue): readonly Statement[] {
  const pattern = member(check, "pattern");
  const anyPattern = member(check, "anyPattern");
  const foreach = member(check, "foreach");
  return [
    ...(pattern === undefined ? [] : statement("Requires", ...patternWords(pattern))),
    ...(isArray(anyPattern) ? statement("Requires one of", ...anyPattern.map((p) => patternWords(p).join("; "))) : []),
    ...statement("Refuses when", ...conditionTexts(member(member(check, "deny"), "conditions"))),
    ...(isArray(foreach) ? foreach.flatMap((entry) => loopStatements(entry, checkStatements)) : []),
  ];
}

function loopStatements(entry: JsonValue, inner: (entry: JsonValue) => readonly Statement[]): readonly Statement[] {
  return [
    ...statement("For each of", `\`${asString(member(entry, "list"))?.trim() ?? ""}\``),
    ...statement("Only where", ...conditionTexts(member(entry, "preconditions"))),
    ...inner(entry),
  ];
}

function podSecurityStatements(podSecurity: JsonValue | undefined): readonly Statement[] {
  if (podSecurity === undefined) return [];
  const level = asString(member(podSecurity, "level")) ?? "";
  const version = asString(member(podSecurity, "version")) ?? "latest";
  const exclude = member(podSecurity, "exclude");
  const lifted = (isArray(exclude) ? exclude : []).map((e) => {
    const images = member(e, "images");
    const of = isArray(images) && images.length > 0 ? ` for images ${andList(images.map(String))}` : "";
    return `${asString(member(e, "controlName")) ?? ""}${of}`;
  });
  return [...statement("Requires", `Pod Security Standard ${level} (${version})`), ...statement("Leaves out", ...lifted)];
}

function celStatements(cel: JsonValue | undefined): readonly Statement[] {
  const expressions = member(cel, "expressions");
  if (!isArray(expressions)) return [];
  return statement(
    "Requires",
    ...expressions.map((e) => `CEL ${asString(member(e, "expression"))?.trim().replace(/\s+/g, " ") ?? ""}`),
  );
}

function mutateStatements(mutate: JsonObject): readonly Statement[] {
  const targets = mutate["targets"];
  const named = isArray(targets)
    ? targets.map((t) =>
        ["kind", "namespace", "name"]
          .map((k) => asString(member(t, k)))
          .filter(Boolean)
          .join(" "),
      )
    : [];
  const foreach = mutate["foreach"];
  return [
    ...statement("Changes existing", ...named),
    ...patchStatements(mutate),
    ...(isArray(foreach) ? foreach.flatMap((entry) => loopStatements(entry, patchStatements)) : []),
  ];
}

function patchStatements(mutate: JsonValue): readonly Statement[] {
  const merge = member(mutate, "patchStrategicMerge");
  const patch = asString(member(mutate, "patchesJson6902"));
  return [
    ...(merge === undefined ? [] : statement("Merges", ...patchLines(JSON.stringify(merge)))),
    ...(patch === undefined ? [] : statement("Patches", ...patchLines(patch))),
  ];
}

/** Written out, as a patch is read best as it stands. */
function patchLines(text: string): readonly string[] {
  return [text.trim().replace(/\s+/g, " ")];
}

function generateStatements(generate: JsonObject): readonly Statement[] {
  const foreach = generate["foreach"];
  if (isArray(foreach)) return foreach.flatMap((entry) => loopStatements(entry, (e) => statement("Creates", created(e))));
  const synchronize = generate["synchronize"] === true;
  const keeps = synchronize ? "and keeps it as it is written here" : "once; later changes to it stay";
  return statement("Creates", `${created(generate)}, ${keeps}`);
}

function created(generate: JsonValue): string {
  const name = ["kind", "namespace", "name"].map((k) => asString(member(generate, k))).filter(Boolean);
  const clone = member(generate, "clone");
  const cloneList = member(generate, "cloneList");
  if (clone !== undefined)
    return `${name.join(" ")} as a copy of ${[member(clone, "namespace"), member(clone, "name")].filter(Boolean).join("/")}`;
  if (cloneList !== undefined)
    return `copies of ${expressionText(member(cloneList, "kinds"))} in ${expressionText(member(cloneList, "namespace"))}`;
  return name.join(" ");
}

function verifyStatements(entry: JsonValue): readonly Statement[] {
  const images = member(entry, "imageReferences") ?? member(entry, "image");
  const attestors = member(entry, "attestors");
  const attestations = member(entry, "attestations");
  const kinds = isArray(attestations)
    ? attestations.map((a) => asString(member(a, "type")) ?? asString(member(a, "predicateType")) ?? "")
    : [];
  return [
    ...statement("Verifies images", expressionText(images)),
    ...(isArray(attestors) ? statement("Requires", `signatures of ${attestors.length} set(s) of attestors`) : []),
    ...statement("Requires attestations", ...kinds),
    ...(member(entry, "mutateDigest") === false ? [] : statement("Changes", "tags to digests")),
  ];
}

function texts(value: JsonValue | undefined): readonly string[] {
  return typeof value === "string" && value.trim() !== "" ? [value.trim().replace(/\s+/g, " ")] : [];
}
