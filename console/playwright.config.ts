// Tests of the console in Debian's Chromium against the real server. `scripts/test-console` runs them with all that they
// need: USER_IMPORT_BIN is the server's program, and USER_IMPORT_TEST_POSTGRES_URL a PostgreSQL server where the tests
// may create databases.

import { defineConfig } from '@playwright/test';

import type { ServerSettings } from './browser/support/fixtures';

export default defineConfig<object, ServerSettings>({
  testDir: 'browser',
  outputDir: 'artifacts/failures',
  snapshotPathTemplate: '{testDir}/{testFilePath}-snapshots/{arg}{ext}',
  // A server and a browser are busy as it is, and the tests measure times.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    screenshot: 'only-on-failure',
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // For CDP's HeapProfiler.collectGarbage and exact figures of memory.
        '--enable-precise-memory-info',
      ],
    },
  },
  projects: [
    { name: 'sqlite', use: { database: 'sqlite' } },
    // What the page itself takes and forbids is the same on every database.
    { name: 'postgres', use: { database: 'postgres' }, testIgnore: 'page/**' },
  ],
});
