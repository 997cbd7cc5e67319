import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';

import { expect, test } from '../support/fixtures';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Asks the server for a path under a host name, which need not be one that leads to it. */
async function ask(origin: string, path: string, host: string): Promise<Answer> {
  const request = get(new URL(path, origin), { headers: { Host: host, Accept: 'text/html' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const piece of response.setEncoding('utf8')) {
    text += String(piece);
  }
  return { status: response.statusCode, headers: response.headers, text };
}

test('every answer has the strict headers', async ({ server }) => {
  const { host } = new URL(server.origin);
  const page = await ask(server.origin, '/console/', host);
  const script = /src="([^"]+\.js)"/.exec(page.text)?.[1] ?? '';
  for (const path of [
    '/console/',
    '/console/users',
    script,
    '/console/sign-in.json',
    '/console/assets/no-such.js',
  ]) {
    const { headers } = await ask(server.origin, path, host);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy, path).toMatch(/default-src 'none'; script-src 'self';/);
    expect(policy, path).toContain("frame-ancestors 'none'");
    expect(policy, path).toMatch(/connect-src 'self'$/);
    expect(policy, path).not.toMatch(/script-src [^;]*unsafe|\*|https?:/);
    expect(headers, path).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(headers['set-cookie'], path).toBeUndefined();
  }
});

test('files with a hash in their name are kept for a year, and the page is asked for each time', async ({
  server,
}) => {
  const { host } = new URL(server.origin);
  const page = await ask(server.origin, '/console/', host);
  expect(page.headers['cache-control']).toBe('no-cache');
  const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) {
    expect(file).toMatch(/^\/console\/assets\/.+-[\w-]{8}\.\w+$/);
    const { headers, status } = await ask(server.origin, file, host);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
  }
});

test('host names that are not those of this server are refused', async ({ server, startServer }) => {
  const { port } = new URL(server.origin);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
    expect(await ask(server.origin, '/console/', host), host).toMatchObject({ status: 200 });
  }
  for (const host of [`evil.example:${port}`, `localhost.evil.example:${port}`, 'roster.example']) {
    const answer = await ask(server.origin, '/console/', host);
    expect(answer, host).toMatchObject({ status: 421 });
    expect(answer.text).toContain('--public-url');
    expect(await ask(server.origin, '/console/sign-in.json', host), host).toMatchObject({ status: 421 });
  }
  const named = await startServer({ serve: ['--public-url', 'https://roster.example'] });
  expect(await ask(named.origin, '/console/', 'roster.example')).toMatchObject({ status: 200 });
  expect(await ask(named.origin, '/console/', 'other.example')).toMatchObject({ status: 421 });
});

test('no other page can show the console in a frame', async ({ page, server, watch }) => {
  watch.allow(/frame-ancestors|ERR_BLOCKED_BY_RESPONSE/);
  await page.route('http://evil.example/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><h1>Other</h1><iframe src="${server.origin}/console/"></iframe>`,
    }),
  );
  watch.allowOrigin(server.origin);
  await page.goto('http://evil.example/');
  const frame = page.frames().find((one) => one !== page.mainFrame());
  expect(frame).toBeDefined();
  await expect.poll(() => frame?.url()).toContain('chrome-error://');
});

test('a script that is written into the page does not run', async ({ open, watch }) => {
  watch.allow(/Content Security Policy/);
  const page = await open('/users');
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
  const didRun = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.didRun = true';
    document.body.append(script);
    const image = document.createElement('div');
    image.innerHTML = '<img src="data:," onerror="window.didRun = true">';
    document.body.append(image);
    await new Promise((resolve) => image.querySelector('img')?.addEventListener('error', resolve));
    return 'didRun' in window;
  });
  expect(didRun).toBe(false);
});

test('the page keeps no cookie, and the token for the life of the tab only', async ({ open, context }) => {
  const page = await open('/users');
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
  expect(await context.cookies()).toEqual([]);
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('uit_');
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.getByLabel('Token')).toBeVisible();
});
