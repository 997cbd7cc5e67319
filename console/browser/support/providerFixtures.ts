// Tests whose users sign in at an identity provider.

import type { Page } from '@playwright/test';

import { test as base } from './fixtures';
import { startIdentityProvider, type Account, type IdentityProvider } from './identityProvider';
import type { Server } from './server';

interface ProviderFixtures {
  provider: IdentityProvider;
  /** Starts a server that admits the provider's tokens, with further options of `serve`. */
  startAdmitting: (...serve: readonly string[]) => Promise<Server>;
}

export const test = base.extend<ProviderFixtures>({
  // eslint-disable-next-line no-empty-pattern
  provider: async ({}, provide) => {
    const provider = await startIdentityProvider();
    await provide(provider);
    await provider.close();
  },
  startAdmitting: async ({ provider, startServer, watch }, provide) => {
    watch.allowOrigin(provider.issuer);
    await provide((...serve) => startServer({ serve: [...provider.serve, ...serve], hasToken: true }));
  },
});

/** Signs in on a page that asks for it. */
export async function signIn(page: Page, { name }: Account): Promise<void> {
  await page.getByRole('button', { name: /^Sign in with / }).click();
  await page.getByRole('button', { name: `I am ${name}` }).click();
}

/** Signs in once more, in a window of its own, over a page whose sign-in has ended. */
export async function signInAgain(page: Page, { name }: Account): Promise<void> {
  const again = page.getByRole('dialog', { name: 'Sign in again' });
  const opened = page.waitForEvent('popup');
  await again.getByRole('button', { name: /^Sign in with / }).click();
  const window = await opened;
  await window.getByRole('button', { name: `I am ${name}` }).click();
  await again.waitFor({ state: 'hidden' });
}
