// Pages of a list, by the tokens that the server gives. The way back is kept with the browser's history, so that it
// survives a reload and the way to a detail and back. Another filter begins with the first page.

import { useLocation, useNavigate } from '@tanstack/react-router';

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The tokens of the pages after the first, up to the one that is shown. */
    pages?: readonly string[];
  }
}

export interface PageTokens {
  /** The token to ask with; empty: the first page. */
  readonly token: string;
  /** Pages before this one. */
  readonly before: number;
  readonly next: (token: string) => void;
  readonly previous: () => void;
  readonly first: () => void;
}

const FIRST_PAGE: readonly string[] = [];

export function usePageTokens(): PageTokens {
  const pages = useLocation({ select: ({ state }) => state.pages ?? FIRST_PAGE });
  const navigate = useNavigate();
  const show = (next: readonly string[]) => void navigate({ to: '.', search: true, state: { pages: next } });
  return {
    token: pages.at(-1) ?? '',
    before: pages.length,
    next: (token) => show([...pages, token]),
    previous: () => show(pages.slice(0, -1)),
    first: () => show(FIRST_PAGE),
  };
}
