import { type Check, plural, quoted, revision, sorted, type Violation, valueTexts, volumeText } from "../check.ts";

export const hostPathVolumes: Check = {
  id: "hostPathVolumes",
  level: "baseline",
  title: "Files of the host",
  revisions: [
    revision(0, (pod) =>
      pod.volumes
        .filter((volume) => volume.sources.includes("hostPath"))
        .map((volume): Violation => ({ path: [...volume.path, "hostPath"], setter: volume, value: volume.hostPath })),
    ),
  ],
  reason: () => "hostPath volumes",
  detail: volumeText,
};

const allowedSources: ReadonlySet<string> = new Set([
  ...["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"],
]);

export const restrictedVolumes: Check = {
  id: "restrictedVolumes",
  level: "restricted",
  title: "Volumes from outside the cluster's storage",
  revisions: [
    revision(
      0,
      (pod) =>
        pod.volumes
          .filter((volume) => !volume.sources.some((source) => allowedSources.has(source)))
          .map((volume): Violation => {
            const source = volume.sources[0] ?? "unknown";
            return { path: [...volume.path, source], setter: volume, value: source };
          }),
      "hostPathVolumes",
    ),
  ],
  reason: () => "restricted volume types",
  detail(violations) {
    const types = sorted(valueTexts(violations));
    const uses = plural("uses", "use", violations.length);
    return `${volumeText(violations)} ${uses} ${plural("restricted volume type", "restricted volume types", types.length)} ${quoted(types)}`;
  },
};
