// Another token in place of this tab's. The same person goes on with what was begun; of another person, nothing stays.

import { createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';

import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';

import { isSameCaller, keepCaller, type Caller } from './caller';
import { signOut } from './signOut';
import { keepToken, takeFromAddress, token } from './token';

type AskCaller = (token: string) => Promise<Caller>;

// Asks with a token that this tab does not have yet.
const askCaller: AskCaller = (asked) =>
  createClient(DirectoryService, createGrpcWebTransport({ baseUrl: '/' })).getCaller(
    {},
    { headers: { Authorization: `Bearer ${asked}` } },
  );

/**
 * Takes the token once the server has said whose it is, so that nothing that one person began goes on in the name of
 * another. Rejects if the server does not say it; the tab then keeps what it has.
 */
export async function changeToken(entered: string, ask: AskCaller = askCaller): Promise<void> {
  const next = entered.trim();
  const caller = await ask(next);
  if (isSameCaller(caller)) {
    keepToken(next);
  } else {
    await beginAnew(next);
  }
  keepCaller(caller);
}

/** Notes whose token this tab has, and forgets what it has of somebody else. */
export async function noteCaller(sent: string | null, caller: Caller): Promise<void> {
  // An answer to a token that was replaced meanwhile does not count.
  if (sent === null || sent !== token()) {
    return;
  }
  if (!isSameCaller(caller)) {
    await beginAnew(sent);
  }
  keepCaller(caller);
}

/** Takes tokens of addresses that are opened in this tab while the page is shown. */
export function followAddress(ask?: AskCaller): void {
  window.addEventListener('hashchange', () => {
    const given = takeFromAddress();
    if (given !== null && given !== token()) {
      // A token that is not accepted is kept too: the page then says so.
      void changeToken(given, ask).catch(() => keepToken(given));
    }
  });
}

async function beginAnew(next: string): Promise<void> {
  signOut();
  // The screens go before there is a token again, so that none of them uses it.
  await new Promise((resolve) => setTimeout(resolve));
  keepToken(next);
}
