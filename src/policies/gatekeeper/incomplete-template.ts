import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { type KubernetesObject, nameOf } from "../../core/kubernetes.ts";

/** Something that a ConstraintTemplate lacks. */
export interface MissingPart {
  readonly path: JsonPath;
  readonly message: string;
  readonly next?: string;
}

const target = "admission.k8s.gatekeeper.sh";
const engines = ["Rego", "K8sNativeValidation"];

function hasCode(code: JsonValue | undefined): boolean {
  return isArray(code) && code.some((one) => engines.includes(asString(member(one, "engine")) ?? ""));
}

function targetProblems(targets: JsonValue | undefined): readonly MissingPart[] {
  const path = ["spec", "targets"];
  if (!isArray(targets) || targets.length === 0) {
    return [
      {
        path,
        message: "there is no target, so the template holds no code",
        next: `Add targets: [{target: ${target}, rego: "package ...; violation[{\\"msg\\": msg}] { ... }"}].`,
      },
    ];
  }
  if (targets.length > 1) return [{ path: [...path, 1], message: "a template has exactly one target" }];
  const [only] = targets;
  const name = asString(member(only, "target")) ?? "";
  const code = member(only, "code");
  return [
    ...(name === target
      ? []
      : [{ path: [...path, 0, "target"], message: `the target must be ${target}${name === "" ? "" : `, not ${name}`}` }]),
    ...((asString(member(only, "rego")) ?? "") !== "" || hasCode(code)
      ? []
      : [{ path: [...path, 0], message: "the target has no rego, and no code of the engines Rego or K8sNativeValidation" }]),
  ];
}

/** What a template lacks or has in the wrong place, so that Gatekeeper refuses it; empty for one that is complete. */
export function incompleteParts(template: KubernetesObject): readonly MissingPart[] {
  const spec = template["spec"];
  const kind = asString(member(member(member(member(spec, "crd"), "spec"), "names"), "kind")) ?? "";
  const name = nameOf(template);
  const kindPath = ["spec", "crd", "spec", "names", "kind"];
  return [
    ...(kind === "" ? [{ path: kindPath, message: "the kind of the constraints is not named" }] : []),
    ...(kind !== "" && name.toLowerCase() !== kind.toLowerCase()
      ? [
          {
            path: ["metadata", "name"],
            message: `the name must be the kind in lower case, ${kind.toLowerCase()}, but is ${JSON.stringify(name)}`,
          },
        ]
      : []),
    ...targetProblems(member(spec, "targets")),
  ];
}

const objectOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

const exampleRego = (packageName: string): string => `package ${packageName}

violation[{"msg": msg}] {
  not input.review.object.metadata.labels.owner
  msg := "the object has no label owner"
}
`;

/** The template with all that it lacks: code that is an example, in a place where code has to be. */
export function completedTemplate(template: KubernetesObject): KubernetesObject {
  const spec = objectOf(template["spec"]);
  const crd = objectOf(spec["crd"]);
  const crdSpec = objectOf(crd["spec"]);
  const names = objectOf(crdSpec["names"]);
  const named = asString(names["kind"]) ?? "";
  const kind = named !== "" ? named : nameOf(template).replace(/^./, (first) => first.toUpperCase());
  const lower = kind.toLowerCase();
  const targets = isArray(spec["targets"]) ? spec["targets"] : [];
  const first = objectOf(targets[0]);
  const coded = (asString(first["rego"]) ?? "") !== "" || hasCode(first["code"]);
  return {
    ...template,
    apiVersion: "templates.gatekeeper.sh/v1",
    metadata: { ...template.metadata, name: lower },
    spec: {
      ...spec,
      crd: {
        ...crd,
        spec: {
          ...crdSpec,
          names: { ...names, kind },
          validation: crdSpec["validation"] ?? { openAPIV3Schema: { type: "object", properties: {} } },
        },
      },
      targets: [{ ...first, target, ...(coded ? {} : { rego: exampleRego(lower) }) }],
    },
  };
}
