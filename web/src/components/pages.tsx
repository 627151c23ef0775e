import { Pagination } from "@mantine/core";

interface PagesProps {
  /** What is paged through, for screen readers. */
  readonly label: string;
  readonly total: number;
  readonly pageSize: number;
  readonly page: number;
  readonly toPage: (page: number) => void;
}

/** The way to the other pages of a list, where there are any. */
export function Pages({ label, total, pageSize, page, toPage }: PagesProps) {
  if (total <= pageSize && page === 1) return undefined;
  return (
    <Pagination
      aria-label={label}
      component="nav"
      total={Math.ceil(total / pageSize)}
      value={page}
      onChange={toPage}
      getItemProps={(number) => ({ "aria-label": `Page ${number}` })}
      getControlProps={(control) => ({ "aria-label": `${control} page` })}
    />
  );
}
