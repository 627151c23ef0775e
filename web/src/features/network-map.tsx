import { Alert, Anchor, Stack, Title, useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { query, useAnswer, useServerChanges } from "../api.ts";
import { useCluster } from "../cluster.tsx";
import { Answer as Shown } from "../components/state.tsx";

/** The map of the cluster that the page is about; of all clusters each has its own, for their policies know nothing of each other. */
export function NetworkMaps() {
  const cluster = useCluster();
  const state = useAnswer("/api/v1/overview", { query: { cluster } });
  return (
    <Shown state={state}>
      {({ clusters, unreached }) => {
        const unknown = new Set(unreached.flatMap((one) => (one.known ? [] : [one.cluster])));
        const meant = clusters.filter((name) => cluster === undefined || name === cluster);
        if (meant.length === 0) return <Alert color="yellow">No cluster {cluster} is governed here.</Alert>;
        const isAlone = meant.length === 1;
        return (
          <Stack h={isAlone ? "100%" : undefined} gap="lg">
            {meant.map((name) => (
              <Stack key={name} gap="xs" h={isAlone ? "100%" : "75vh"} component="section" aria-label={`Network of ${name}`}>
                {!isAlone && (
                  <Title order={3} size="h5">
                    <Anchor component={Link} href={`/network${query({ cluster: name })}`} inherit>
                      {name}
                    </Anchor>
                  </Title>
                )}
                {unknown.has(name) ? (
                  <Alert color="yellow">{name} has not been reached yet: who may talk to whom there is not known.</Alert>
                ) : (
                  <NetworkMap cluster={name} isAlone={isAlone} />
                )}
              </Stack>
            ))}
          </Stack>
        );
      }}
    </Shown>
  );
}

interface MapProps {
  readonly cluster: string;
  /** Only then what is looked at in it is in the address. */
  readonly isAlone: boolean;
}

/** The drawing of `castellan net graph -o html`, made from what is live. */
function NetworkMap({ cluster, isAlone }: MapProps) {
  const [search, setSearch] = useSearchParams();
  const scheme = useComputedColorScheme("light");
  const frame = useRef<HTMLIFrameElement>(null);
  const drawn = useDrawing(`/api/v1/network.html${query({ cluster })}`);
  const looked = useRef(isAlone ? (search.get("at") ?? "") : "");
  useEffect(() => {
    const listen = ({ source, data }: MessageEvent<unknown>) => {
      if (source === null || source !== frame.current?.contentWindow) return;
      const shown = typeof data === "object" && data !== null && "shown" in data ? data.shown : undefined;
      if (typeof shown !== "string") return;
      looked.current = shown;
      if (!isAlone) return;
      const keep = (before: URLSearchParams) => {
        before.set("at", shown);
        return before;
      };
      setSearch(keep, { replace: true });
    };
    window.addEventListener("message", listen);
    return () => window.removeEventListener("message", listen);
  }, [isAlone, setSearch]);
  // What is chosen within it must not load it again, but does come back where it is drawn again.
  const src = useMemo(() => `/api/v1/network.html${query({ cluster, drawn })}#${looked.current}`, [cluster, drawn]);
  return (
    <iframe
      ref={frame}
      title={`Who may talk to whom in ${cluster}`}
      src={src}
      sandbox="allow-scripts"
      style={{ width: "100%", flex: 1, minHeight: 0, border: 0, borderRadius: 8, colorScheme: scheme }}
    />
  );
}

/** Looking whether it is drawn otherwise costs the server more than other questions. */
const pauseMilliseconds = 5000;

/** Counts how often the drawing at an address has become another one. */
function useDrawing(address: string): number {
  const version = useRef(0);
  version.current = useServerChanges();
  const [drawn, setDrawn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let known: string | undefined;
    let seen = -1;
    const look = async () => {
      if (seen === version.current) return;
      const now = version.current;
      const answer = await fetch(address, { signal: abort.signal });
      const text = await answer.text();
      if (!answer.ok) return;
      seen = now;
      if (known !== undefined && text !== known) setDrawn((count) => count + 1);
      known = text;
    };
    // Where the server is not reached the page says so elsewhere.
    const tried = () => void look().catch(() => {});
    tried();
    const timer = setInterval(tried, pauseMilliseconds);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [address]);
  return drawn;
}
