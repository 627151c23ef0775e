import { isObject, type JsonValue } from "../../../core/json.ts";

const templates = [
  /\{\{/, // Helm, Jinja, Mustache
  /\$\{[^}]*\}/, // envsubst, Terraform
  /\$\([^)]*\)/, // Kubeflow, kustomize vars, OpenShift
  /^\$[A-Za-z_]\w*$/,
  /<%/,
  /%\([^)]*\)s/,
];

/** `FILLED_BY_OPERATOR`: a name in capitals that some program replaces; no name in the API looks like it. */
export function isUnfilled(text: string): boolean {
  return isTemplate(text) || /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(text);
}

/** `{name}` and `{{ name }}` without quotes are mappings to nothing in YAML. */
export function isFlowPlaceholder(value: JsonValue): boolean {
  if (!isObject(value)) return false;
  const [only, ...others] = Object.values(value);
  return others.length === 0 && only === null;
}

/** What every template holds; most text has none of it. */
const marks = /[{$<%]/;

/** Whether text is written by a tool before the API server sees it: nothing can be said about its value yet. */
export function isTemplate(text: string): boolean {
  return marks.test(text) && templates.some((pattern) => pattern.test(text));
}
