// An organisation of one test.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Server } from './server';

/** The folder `examples` of the repository. */
export const EXAMPLES = join(import.meta.dirname, '../../../examples');

export class Organisation {
  constructor(
    readonly server: Server,
    readonly slug: string,
  ) {}

  /** An address of the page that signs in as somebody who may do everything, or with `token`. */
  async address(path: string, token?: string): Promise<string> {
    const url = new URL(this.server.page + path);
    url.searchParams.set('organisation', this.slug);
    url.hash = `token=${token ?? (await this.server.token())}`;
    return url.href;
  }

  /** Runs a command of the program for this organisation. */
  async command(...command: string[]): Promise<string> {
    return this.server.command(...command, '--organization', this.slug);
  }

  /** Imports a roster, from a file or from its lines. */
  async import(roster: string | readonly string[], ...options: string[]): Promise<void> {
    let file = roster;
    if (typeof file !== 'string') {
      const lines = file;
      file = this.server.file(`${randomBytes(6).toString('hex')}.csv`);
      await writeFile(file, lines.join('\n') + '\n');
    }
    await this.command('--quiet', 'import', file, ...options);
  }

  /** The users as the export has them: a header, and a line for each. */
  async users(): Promise<string[]> {
    return (await this.command('export')).trim().split(/\r?\n/);
  }
}

/** Makes an organisation with the example's catalog and no user. */
export async function createOrganisation(server: Server): Promise<Organisation> {
  const slug = `org-${randomBytes(6).toString('hex')}`;
  await server.command('--quiet', 'org', 'create', slug);
  const organisation = new Organisation(server, slug);
  await organisation.command('--quiet', 'catalog', 'apply', join(EXAMPLES, 'catalog.json'));
  return organisation;
}
