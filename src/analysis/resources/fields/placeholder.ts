const templates = [
  /\{\{/, // Helm, Jinja, Mustache
  /\$\{[^}]*\}/, // envsubst, Terraform
  /\$\([^)]*\)/, // Kubeflow, kustomize vars, OpenShift
  /^\$[A-Za-z_]\w*$/,
  /<%/,
  /%\([^)]*\)s/,
];

/** Whether text is written by a tool before the API server sees it: nothing can be said about its value yet. */
export function isTemplate(text: string): boolean {
  return templates.some((pattern) => pattern.test(text));
}
