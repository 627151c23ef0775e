import type { KubernetesObject } from "../../core/kubernetes.ts";
export declare const templates: {
  readonly "data-scientist": {
    readonly about: "reads and writes inference jobs, nothing else";
    readonly holder: "group";
    readonly rules: readonly [
      readonly ["get,list,watch,create,update,patch,delete", "serving.kserve.io/inferenceservices"],
      readonly ["get,list,watch,create,delete", "batch/jobs"],
    ];
    readonly cannot: readonly [...string[], "list /pods", "get /configmaps", "create apps/deployments"];
  };
  readonly "ml-engineer": {
    readonly about: "trains and serves models, follows their pods and logs";
    readonly holder: "group";
    readonly rules: readonly [
      readonly [
        "get,list,watch,create,update,patch,delete",
        "serving.kserve.io/inferenceservices,kubeflow.org/notebooks,kubeflow.org/pytorchjobs,trainer.kubeflow.org/trainjobs,ray.io/rayclusters,ray.io/rayjobs,ray.io/rayservices,batch/jobs",
      ],
      readonly ["get,list,watch,create,update,patch,delete", "/configmaps,/persistentvolumeclaims"],
      readonly ["get,list,watch", "/pods,/events,/services"],
      readonly ["get", "/pods/log"],
    ];
    readonly cannot: readonly [...string[], "create /pods", "create apps/deployments", "delete /services"];
  };
  readonly "ci-cd": {
    readonly about: "writes deployment artefacts by server-side apply, reads nothing";
    readonly holder: "service-account";
    readonly rules: readonly [
      readonly ["create,patch", "apps/deployments,/services,/configmaps,serving.kserve.io/inferenceservices"],
    ];
    readonly cannot: readonly [
      ...string[],
      "get apps/deployments",
      "list apps/deployments",
      "delete apps/deployments",
      "list /pods",
      "get /configmaps",
    ];
  };
  readonly viewer: {
    readonly about: "sees what runs, but no secrets and no settings";
    readonly holder: "group";
    readonly rules: readonly [
      readonly [
        "get,list,watch",
        "/pods,/services,/events,apps/deployments,apps/statefulsets,batch/jobs,serving.kserve.io/inferenceservices,ray.io/rayclusters",
      ],
      readonly ["get", "/pods/log"],
    ];
    readonly cannot: readonly [...string[], "get /configmaps", "delete /pods", "patch serving.kserve.io/inferenceservices"];
  };
  readonly agent: {
    readonly about: "an AI agent: looks, and changes nothing";
    readonly holder: "service-account";
    readonly rules: readonly [readonly ["get,list,watch", "/pods,/events,serving.kserve.io/inferenceservices,batch/jobs"]];
    readonly cannot: readonly [
      ...string[],
      "get /configmaps",
      "get /pods/log",
      "create /pods",
      "delete /pods",
      "patch serving.kserve.io/inferenceservices",
      "create batch/jobs",
    ];
  };
};
export type TemplateName = keyof typeof templates;
export declare const templateNames: readonly TemplateName[];
export interface Proof {
  readonly question: string;
  readonly namespace: string;
  readonly expected: boolean;
  readonly answer: boolean;
}
export interface Instantiated {
  readonly holder: string;
  readonly objects: readonly KubernetesObject[];
  /** Every right of the role, and what it must not give, asked of the authorizer. */
  readonly proof: readonly Proof[];
}
/** The objects of a template for one namespace. `group`: who holds a role made for people. */
export declare function instantiate(template: TemplateName, namespace: string, group: string | undefined): Instantiated;
