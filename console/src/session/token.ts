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

/**
 * Takes the token that an address printed by the server carries in its fragment, `#token=…`, and removes it from the
 * address, so that it gets into no history, bookmark or link.
 */
export function takeTokenFromAddress(location: Location = window.location): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    history.replaceState(history.state, '', location.pathname + location.search);
    keepToken(given);
  }
}

function changed(): void {
  for (const listener of listeners) {
    listener();
  }
}
