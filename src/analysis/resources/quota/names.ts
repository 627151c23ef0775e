import { qualifiedNameProblems } from "../../../core/name-problems.ts";

/** A domain of at most 253 letters, a slash and a name of at most 63. */
const longest = 317;

/** `cpu`, `nvidia.com/gpu`: a name with an optional DNS prefix, as apimachinery's IsQualifiedName. */
export function isQualifiedName(text: string): boolean {
  return text.length <= longest && qualifiedNameProblems(text).length === 0;
}

/** Resources without a domain, or of one that holds `kubernetes.io/`, are Kubernetes' own. */
export function isNative(resource: string): boolean {
  return !resource.includes("/") || resource.includes("kubernetes.io/");
}

export function isHugePages(resource: string): boolean {
  return resource.startsWith("hugepages-");
}

/** Devices and other resources that a node advertises under a vendor's domain; requests must equal limits. */
export function isExtended(resource: string): boolean {
  return !isNative(resource) && !resource.startsWith("requests.") && isQualifiedName(`requests.${resource}`);
}

const containerResources = new Set(["cpu", "memory", "ephemeral-storage"]);

/** What a container can ask for. */
export function isContainerResource(resource: string): boolean {
  return containerResources.has(resource) || isHugePages(resource) || isExtended(resource);
}

/** Words that people write for a GPU, and its usual name. */
export function looksLikeGpu(resource: string): boolean {
  return /(?:^|[./])gpus?$/i.test(resource);
}

export const usualGpu = "nvidia.com/gpu";
