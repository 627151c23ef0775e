import type { Container, Pod } from "./pod.ts";

/**
 * Whether an update of a Pod is judged again: containers were added or removed, or an image changed. Everything else that
 * Pod Security looks at cannot be changed in a living pod.
 */
export function isSignificantUpdate(pod: Pod, old: Pod): boolean {
  for (const list of ["containers", "initContainers"]) {
    const now = inList(pod, list);
    const before = inList(old, list);
    if (now.length !== before.length || now.some((c, i) => c.image !== before[i]?.image)) return true;
  }
  const oldEphemeral = inList(old, "ephemeralContainers");
  return inList(pod, "ephemeralContainers").some((c) => c.image !== oldEphemeral.find((o) => o.name === c.name)?.image);
}

function inList(pod: Pod, list: string): readonly Container[] {
  return pod.containers.filter((c) => c.path[1] === list);
}
