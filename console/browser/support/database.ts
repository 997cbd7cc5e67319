// Databases for servers: each is new, and goes with its server.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type DatabaseKind = 'sqlite' | 'postgres';

export interface Database {
  readonly url: string;
  remove(): Promise<void>;
}

/** Makes an empty database; one in a file is in `folder`. */
export async function createDatabase(kind: DatabaseKind, folder: string): Promise<Database> {
  if (kind === 'sqlite') {
    return { url: `sqlite://${join(folder, 'users.db')}`, remove: () => Promise.resolve() };
  }
  const administration = process.env.USER_IMPORT_TEST_POSTGRES_URL;
  if (!administration) {
    throw new Error(
      'USER_IMPORT_TEST_POSTGRES_URL names no PostgreSQL server; scripts/test-console brings one.',
    );
  }
  const name = `console_${randomBytes(6).toString('hex')}`;
  const execute = (statement: string) => run('psql', ['--quiet', '--command', statement, administration]);
  await execute(`CREATE DATABASE ${name}`);
  const url = new URL(administration);
  url.pathname = name;
  return {
    url: url.href,
    remove: async () => {
      await execute(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
