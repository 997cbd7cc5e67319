// The token of this tab. It is kept for the tab's life only: session storage ends with the tab.

const KEY = 'user-import.token';

type Listener = () => void;
const listeners = new Set<Listener>();

export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

export function keepToken(value: string): void {
  sessionStorage.setItem(KEY, value.trim());
  changed();
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  changed();
}

/** Calls back on each change; returns what ends that. */
export function onTokenChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes the token that the address carries. */
export function takeTokenFromAddress(): void {
  const given = takeFromAddress();
  if (given !== null) {
    keepToken(given);
  }
}

/**
 * Returns the token that an address printed by the server carries in its fragment, `#token=…`, and removes it from the
 * address, so that it gets into no history, bookmark or link. Null: it carries none.
 */
export function takeFromAddress(location: Location = window.location): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get('token')?.trim();
  if (!given) {
    return null;
  }
  history.replaceState(history.state, '', location.pathname + location.search);
  return given;
}

function changed(): void {
  for (const listener of listeners) {
    listener();
  }
}
