export type { WorkloadCatalogue } from "./catalogue.ts";
export { type FoundPod, type FoundPods, findPodSpecs } from "./find.ts";
export { parseWorkloadCatalogue } from "./parse-catalogue.ts";
