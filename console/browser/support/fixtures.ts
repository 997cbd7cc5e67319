// What every test of the console begins with: a server that all tests of a database share, an organisation of its own,
// and a page on which nothing may go wrong unseen.

import { test as base, type BrowserContext, type Page } from '@playwright/test';

import type { DatabaseKind } from './database';
import { createOrganisation, type Organisation } from './organisation';
import { Server, type ServerOptions } from './server';
import { watchContext, type Watch } from './watch';

export { expect } from '@playwright/test';

/** Settings of a project. */
export interface ServerSettings {
  database: DatabaseKind;
}

interface SharedFixtures extends ServerSettings {
  /** The server of all tests of one database. */
  server: Server;
}

interface TestFixtures {
  /** An organisation of this test alone, with the catalog of `examples/` and no user. */
  organisation: Organisation;
  /** Makes further servers, for tests that stop them or give them settings of their own. */
  startServer: (options?: ServerOptions) => Promise<Server>;
  /** What goes wrong on the pages of this test. */
  watch: Watch;
  /** Opens an address below `/console` as somebody who may do everything in the organisation. */
  open: (path: string) => Promise<Page>;
}

export const test = base.extend<TestFixtures, SharedFixtures>({
  database: ['sqlite', { option: true, scope: 'worker' }],
  server: [
    async ({ database }, provide) => {
      const server = await Server.start(database);
      await provide(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  organisation: async ({ server }, provide) => {
    await provide(await createOrganisation(server));
  },
  startServer: async ({ database, context }, provide) => {
    const started: Server[] = [];
    await provide(async (options) => {
      const server = await Server.start(database, options);
      started.push(server);
      return server;
    });
    // What a page still asks or listens to ends with it, and not with the server.
    await Promise.all(context.pages().map((page) => page.close()));
    for (const server of started) {
      await server.stop();
    }
  },
  watch: [
    async ({ context }: { context: BrowserContext }, provide) => {
      const watch = watchContext(context);
      await provide(watch);
      watch.expectNothing();
    },
    { auto: true },
  ],
  open: async ({ page, organisation }, provide) => {
    await provide(async (path) => {
      await page.goto(await organisation.address(path));
      return page;
    });
  },
});
