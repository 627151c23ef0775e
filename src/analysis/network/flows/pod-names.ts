/** What controllers append to their name for a pod: `-5d4f8c7b9-x2x4z`, `-0`, `-x2x4z`, `-0-x2x4z`. */
const safe = "[bcdfghjklmnpqrstvwxz2456789]";
const endings: readonly RegExp[] = [
  new RegExp(`-${safe}{5,10}-${safe}{5}$`),
  /-\d{1,5}$/,
  new RegExp(`-${safe}{5}$`),
  new RegExp(`-\\d{1,5}-${safe}{5}$`),
  // A CronJob's Job carries the minute it was due.
  new RegExp(`-\\d{8,10}-${safe}{5}$`),
];

/**
 * Names of controllers that may have made a pod of this name, the most specific first; the pod's own name is the first, as a
 * pod may have been made by hand. `frontend-755cdc7957-*` is read as well.
 */
export function ownerNames(pod: string): readonly string[] {
  const name = pod.endsWith("-*") ? pod.slice(0, -2) : pod;
  const names = [name];
  if (name !== pod) names.push(name.replace(new RegExp(`-${safe}{5,10}$`), ""));
  else for (const ending of endings) if (ending.test(name)) names.push(name.replace(ending, ""));
  return [...new Set(names)].filter((n) => n !== "");
}
