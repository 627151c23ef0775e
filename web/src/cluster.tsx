import { Select } from "@mantine/core";
import { useSearchParams } from "wouter";
import { useAnswer } from "./api.ts";

/** The cluster that pages are about, from the address; undefined: all. */
export function useCluster(): string | undefined {
  const [search] = useSearchParams();
  return search.get("cluster") ?? undefined;
}

/** Whether rows need to say of which cluster they are. */
export const useSeveralClusters = (): boolean => (useAnswer("/api/v1/overview").value?.clusters.length ?? 0) > 1;

/** Shown where several clusters are governed. */
export function ClusterSelect() {
  const [, setSearch] = useSearchParams();
  const cluster = useCluster();
  const { value } = useAnswer("/api/v1/overview");
  if (value === undefined || value.clusters.length < 2) return null;
  return (
    <Select
      aria-label="Cluster"
      placeholder="All clusters"
      data={[...value.clusters]}
      value={cluster ?? null}
      onChange={(name) =>
        setSearch((before) => {
          if (name === null) before.delete("cluster");
          else before.set("cluster", name);
          return before;
        })
      }
      clearable
      size="xs"
      w={{ base: 100, xs: 220 }}
    />
  );
}
