// A server of the tests: the real program as a process of its own, with its own folder and database.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';

import { createDatabase, type Database, type DatabaseKind } from './database';
import { startFront, type Front } from './front';

const run = promisify(execFile);

const EVERYTHING =
  'users.import,users.deactivate,users.read,users.grant-privileged,users.approve,catalog.write,organizations.write';

/** Exit codes of imports that have rejected rows, or are held for review. */
const ENDED_AS_MEANT = new Set([3, 7]);

export interface ServerOptions {
  /** Options of `serve`. */
  readonly serve?: readonly string[];
  /** Sign in with a token that outlives the server's process, in place of the local token. */
  readonly hasToken?: boolean;
}

export class Server {
  private process: ChildProcess | undefined;
  private address = '';
  private operatorToken: string | undefined;
  /** What the server has printed since it started. */
  printed: string[] = [];

  private constructor(
    private readonly folder: string,
    private readonly database: Database,
    private readonly options: readonly string[],
    private readonly front: Front | undefined,
  ) {}

  /** Starts a server on a new database and a free port of this machine. */
  static async start(
    kind: DatabaseKind,
    { serve = [], hasToken = false }: ServerOptions = {},
  ): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'user-import-console-'));
    await mkdir(join(folder, 'run'), { mode: 0o700 });
    const front = await startFront();
    const options = front ? [...serve, '--web-origin', front.origin] : serve;
    const server = new Server(folder, await createDatabase(kind, folder), options, front);
    if (hasToken) {
      server.operatorToken = await server.createToken('operator', '--every-organization');
    }
    await server.restart();
    front?.connect(server.origin);
    return server;
  }

  /** Address of the page, without a slash at its end. */
  get page(): string {
    return `${this.front?.origin ?? this.origin}/console`;
  }

  /** Address of the server's API, without a slash at its end. */
  get origin(): string {
    return `http://${this.address}`;
  }

  /** Starts the server again after `kill`, on the port that it had. */
  async restart(): Promise<void> {
    const log = openSync(this.file('server.log'), 'a');
    const started = spawn(
      program(),
      [
        'serve',
        '--listen',
        this.address || '127.0.0.1:0',
        '--database-url',
        this.database.url,
        ...this.options,
      ],
      { env: this.environment(), stdio: ['ignore', 'pipe', log] },
    );
    closeSync(log);
    this.process = started;
    this.printed = [];
    this.address = await new Promise<string>((resolve, reject) => {
      // For as long as the server starts: when it is stopped later, its folder goes with it, and its log too.
      const endedEarly = () => {
        this.log().then((text) => reject(new Error(`The server does not start:\n${text}`)), reject);
      };
      started.once('exit', endedEarly);
      const output = started.stdout ?? Readable.from([]);
      createInterface({ input: output }).on('line', (line) => {
        this.printed.push(line);
        const address = /^listening on (\S+)$/.exec(line)?.[1];
        if (address !== undefined) {
          started.off('exit', endedEarly);
          resolve(address);
        }
      });
    });
  }

  /** Ends the server as a power failure does. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Lets the server stand still, as on a machine that is busy. */
  pause(): void {
    this.process?.kill('SIGSTOP');
  }

  /** Lets it go on after `pause`. */
  resume(): void {
    this.process?.kill('SIGCONT');
  }

  /** Stops the server and removes what it had. */
  async stop(): Promise<void> {
    await this.front?.close();
    await this.end('SIGTERM');
    await this.database.remove();
    await rm(this.folder, { recursive: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const ended = this.process;
    this.process = undefined;
    if (ended?.exitCode === null && ended.signalCode === null) {
      const exit = once(ended, 'exit');
      ended.kill(signal);
      await exit;
    }
  }

  /** Runs a command of the program against this server, and returns what it prints. */
  async command(...command: string[]): Promise<string> {
    const env = { ...this.environment(), USER_IMPORT_DATABASE_URL: this.database.url };
    const client = { USER_IMPORT_ENDPOINT: this.origin, USER_IMPORT_TOKEN: this.operatorToken };
    const isForServer = this.address !== '' && command[0] !== 'token';
    try {
      const options = { env: isForServer ? { ...env, ...client } : env, maxBuffer: 2 ** 28 };
      return (await run(program(), command, options)).stdout;
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      if (ENDED_AS_MEANT.has(code)) {
        return stdout;
      }
      const problem = `user-import ${command.join(' ')} ended with ${code}:\n${stdout}${stderr}`;
      throw new Error(problem, { cause: error });
    }
  }

  /** A new token. The first one of a server ends its local token. */
  async createToken(name: string, ...options: string[]): Promise<string> {
    const permission = options.includes('--permission') ? [] : ['--permission', EVERYTHING];
    return (await this.command('--quiet', 'token', 'create', name, ...permission, ...options)).trim();
  }

  /** Makes a token worthless. */
  async revokeToken(name: string): Promise<void> {
    const listed = await this.command('token', 'list', '--format', 'json');
    const tokens = listed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const id = tokens.find((token) => token.name === name && token.state !== 'revoked')?.id;
    if (id === undefined) {
      throw new Error(`There is no valid token "${name}" among\n${listed}`);
    }
    await this.command('token', 'revoke', id);
  }

  /** What signs in as somebody who may do everything. */
  async token(): Promise<string> {
    return this.operatorToken ?? (await this.command('token', 'local', '--endpoint', this.origin)).trim();
  }

  async log(): Promise<string> {
    return readFile(this.file('server.log'), 'utf8');
  }

  /** A path in the server's folder. */
  file(name: string): string {
    return join(this.folder, name);
  }

  private environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: this.folder, XDG_RUNTIME_DIR: join(this.folder, 'run') };
  }
}

function program(): string {
  const path = process.env.USER_IMPORT_BIN;
  if (!path) {
    throw new Error('USER_IMPORT_BIN names no program; scripts/test-console builds it.');
  }
  return path;
}
