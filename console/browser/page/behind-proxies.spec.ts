// The page through the proxies of docs/proxies.md: an import goes on after the server behind them was killed.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '../support/fixtures';
import { createOrganisation } from '../support/organisation';
import { isInstalled, PROXIED_NAME, PROXIES, startProxy, type ProxyName } from '../support/proxies';
import { roster } from '../support/rosters';
import { watchContext } from '../support/watch';
import { fileOf, ImportWizard } from '../support/wizard';

const SERVE = ['--trusted-proxy', '127.0.0.1', '--public-url', `https://${PROXIED_NAME}`];

for (const name of Object.keys(PROXIES) as ProxyName[]) {
  test(`the page imports through ${name}, also when the server is killed behind it`, async ({
    launchOptions,
    playwright,
    startServer,
  }) => {
    test.skip(name === 'envoy' && !isInstalled(name), 'Envoy is not in every registry for every machine.');
    test.setTimeout(240_000);
    const serve = [...SERVE, '--lease-seconds', '2', '--transaction-rows', '50'];
    const server = await startServer({ serve, hasToken: true });
    const organisation = await createOrganisation(server);
    const folder = await mkdtemp(join(tmpdir(), 'user-import-proxy-'));
    const proxy = await startProxy(name, server.origin, folder);
    const rule = `--host-resolver-rules=MAP ${PROXIED_NAME}:443 127.0.0.1:${proxy.port}`;
    const args = [...(launchOptions.args ?? []), rule];
    const browser = await playwright.chromium.launch({ ...launchOptions, args });
    try {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const watch = watchContext(context);
      watch.allow(/ERR_|status of 50\d/);
      const page = await context.newPage();
      const wizard = new ImportWizard(page);
      const address = new URL(await organisation.address('/import-users'));
      await page.goto(`https://${PROXIED_NAME}${address.pathname}${address.search}${address.hash}`);
      // Over 1 MiB, which nginx does not take by itself.
      await wizard.review(fileOf(roster(20_000)));
      await wizard.confirm('20,000 new');
      await page.waitForFunction(() => /Writing users · [1-9][\d,]* of/.test(document.body.innerText));
      await server.kill();
      const lost = page.getByText('The connection is lost. Trying again…');
      await expect(lost.or(page.getByText('The import is complete')).first()).toBeVisible();
      await server.restart();
      await wizard.expectComplete();
      await expect(page.getByText('20,000 users created')).toBeVisible();
      expect(await organisation.users()).toHaveLength(20_001);
      watch.expectNothing();
    } finally {
      await browser.close();
      await proxy.stop();
      await rm(folder, { recursive: true });
    }
  });
}
