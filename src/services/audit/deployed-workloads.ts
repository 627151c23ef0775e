import type { LedgerFilter } from "../../adapters/store/ledger-reading.ts";

/** Resources of which people and pipelines make objects that run code, the AI platforms' among them, by API group. */
const workloads = {
  "": ["pods", "replicationcontrollers"],
  apps: ["deployments", "statefulsets", "daemonsets", "replicasets"],
  batch: ["jobs", "cronjobs"],
  "agents.x-k8s.io": ["sandboxes"],
  "apps.nvidia.com": ["nimservices", "nimpipelines"],
  "argoproj.io": ["workflows", "cronworkflows", "rollouts"],
  "batch.volcano.sh": ["jobs", "cronjobs"],
  "flink.apache.org": ["flinkdeployments"],
  "jobset.x-k8s.io": ["jobsets"],
  "kaito.sh": ["workspaces"],
  "keda.sh": ["scaledjobs"],
  "kubeflow.org": [
    "notebooks",
    "pytorchjobs",
    "tfjobs",
    "mpijobs",
    "xgboostjobs",
    "paddlejobs",
    "jaxjobs",
    "mxjobs",
    "trainjobs",
    "experiments",
    "trials",
  ],
  "kubernetes.dask.org": ["daskclusters", "daskjobs"],
  "leaderworkerset.x-k8s.io": ["leaderworkersets"],
  "machinelearning.seldon.io": ["seldondeployments"],
  "nvidia.com": ["dynamographdeployments"],
  "ray.io": ["rayclusters", "rayjobs", "rayservices", "raycronjobs"],
  "serving.knative.dev": ["services"],
  "serving.kserve.io": [
    "inferenceservices",
    "inferencegraphs",
    "llminferenceservices",
    "servingruntimes",
    "clusterservingruntimes",
  ],
  "serving.kubeflow.org": ["inferenceservices"],
  "spark.apache.org": ["sparkapplications", "sparkclusters"],
  "sparkoperator.k8s.io": ["sparkapplications", "scheduledsparkapplications", "sparkconnects"],
  "tekton.dev": ["taskruns", "pipelineruns"],
  "trainer.kubeflow.org": ["trainjobs"],
  "workload.codeflare.dev": ["appwrappers"],
} as const satisfies { readonly [group: string]: readonly string[] };

/** One for each group: `services` run code in Knative's group, and not in the core's. */
export const workloadFilters: readonly LedgerFilter[] = Object.entries(workloads).map(([group, resources]) => ({
  groups: [group],
  resources,
}));
