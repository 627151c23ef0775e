import { Title } from "@mantine/core";
import { useEffect } from "react";

/** Names the tab, the history and the bookmark; what was there before comes back when this is left. */
export function useDocumentTitle(text: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = `${text} · Castellan`;
    return () => {
      document.title = before;
    };
  }, [text]);
}

/** `useDocumentTitle` for what is known only within an answer. */
export function DocumentTitle({ text }: { readonly text: string }) {
  useDocumentTitle(text);
  return null;
}

/** The heading of a page. */
export function PageTitle({ text }: { readonly text: string }) {
  useDocumentTitle(text);
  return (
    <Title order={2} style={{ overflowWrap: "anywhere" }}>
      {text}
    </Title>
  );
}
