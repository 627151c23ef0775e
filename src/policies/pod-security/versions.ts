/** Levels of the Pod Security Standards, from lax to strict. */
export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

/** A version of the standards: a Kubernetes minor (1.x), or the latest. */
export type Version = number | "latest";

export interface LevelVersion {
  readonly level: Level;
  readonly version: Version;
}

/** Undefined for anything but `privileged`, `baseline` and `restricted`. */
export function parseLevel(text: string): Level | undefined {
  return levels.find((level) => level === text);
}

/** Reads `latest` and `v1.x`; undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  if (text === "latest") return "latest";
  const match = /^v1\.(0|[1-9][0-9]{0,8})$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** `latest`, `v1.25`. */
export function versionText(version: Version): string {
  return version === "latest" ? version : `v1.${version}`;
}

/** `restricted:latest`, `baseline:v1.25`. */
export function levelVersionText({ level, version }: LevelVersion): string {
  return `${level}:${versionText(version)}`;
}

/** Above 0 where `a` is stricter. */
export function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b);
}
