import "asciinema-player/dist/bundle/asciinema-player.css";
import { create } from "asciinema-player";
import { useEffect, useRef } from "react";

/** Plays an asciicast. Loaded on its own: it is as large as the rest of the console's pages together. */
export function Player({ url, label }: { readonly url: string; readonly label: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return undefined;
    const player = create(url, place.current, {
      // A pause in which nobody types is not worth waiting for.
      idleTimeLimit: 2,
      fit: "width",
      preload: true,
      theme: "asciinema",
      terminalFontFamily: "ui-monospace, monospace",
    });
    return () => player.dispose();
  }, [url]);
  return <section ref={place} aria-label={label} />;
}
