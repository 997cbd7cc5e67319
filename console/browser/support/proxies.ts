// The proxies of docs/proxies.md, in the configurations given there, in front of a server of the tests.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const REPOSITORY = join(import.meta.dirname, '../../..');

/** The name under which the configurations serve. */
export const PROXIED_NAME = 'roster.example';

interface Proxy {
  /** The language of its block on the page. */
  readonly language: string;
  /** What stands in the block for the address to listen on, and what to put there. */
  readonly listens: readonly [string, (port: number) => string];
  /** Lines before and after the block. FOLDER stands for a folder of its own. */
  readonly around: readonly [string, string];
  readonly command: readonly [string, ...string[]];
}

const loopback = (port: number) => `127.0.0.1:${port}`;

export const PROXIES = {
  nginx: {
    language: 'nginx',
    listens: ['443', loopback],
    around: [
      'daemon off; master_process off; pid FOLDER/pid; error_log stderr error;\nevents {}\nhttp {\naccess_log off;\n' +
        'client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;\n' +
        'uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;\n',
      '}\n',
    ],
    command: ['nginx', '-e', 'stderr', '-c'],
  },
  haproxy: {
    language: 'haproxy',
    listens: [':443', loopback],
    around: ['', ''],
    command: ['haproxy', '-db', '-f'],
  },
  caddy: {
    language: 'caddyfile',
    listens: [`${PROXIED_NAME} {`, (port) => `https://${PROXIED_NAME}:${port} {`],
    around: ['{\nadmin off\nauto_https off\ndefault_bind 127.0.0.1\nstorage file_system FOLDER\n}\n', ''],
    command: ['caddy', 'run', '--adapter', 'caddyfile', '--config'],
  },
  envoy: {
    language: 'yaml',
    listens: [
      '{ address: 0.0.0.0, port_value: 443 }',
      (port) => `{ address: 127.0.0.1, port_value: ${port} }`,
    ],
    around: ['', ''],
    command: ['envoy', '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'error', '-c'],
  },
} satisfies Record<string, Proxy>;

export type ProxyName = keyof typeof PROXIES;

export interface RunningProxy {
  readonly port: number;
  stop(): Promise<void>;
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { env: environment() });
    return true;
  } catch {
    return false;
  }
}

/** Starts a proxy in front of the server at `origin`, on a free port of this machine. */
export async function startProxy(name: ProxyName, origin: string, folder: string): Promise<RunningProxy> {
  const proxy: Proxy = PROXIES[name];
  await makeCertificate(folder);
  const file = join(folder, 'configuration.yaml');
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const port = await freePort();
    await writeFile(file, await configuration(proxy, port, new URL(origin).host, folder));
    const log = openSync(join(folder, 'proxy.log'), 'w');
    const [program, ...options] = [...proxy.command, file];
    const started = spawn(program, options, { env: environment(), stdio: ['ignore', log, log] });
    closeSync(log);
    while (started.exitCode === null && !(await listens(port))) {
      await pause(20);
    }
    if (started.exitCode === null) {
      const stop = async () => {
        const exit = once(started, 'exit');
        started.kill('SIGKILL');
        await exit;
      };
      return { port, stop };
    }
  }
  throw new Error(`${name} does not start:\n${await readFile(join(folder, 'proxy.log'), 'utf8')}`);
}

/** The configuration of the page, with these addresses and the certificate in the folder. */
async function configuration(proxy: Proxy, port: number, server: string, folder: string): Promise<string> {
  const page = await readFile(join(REPOSITORY, 'docs/proxies.md'), 'utf8');
  const block = page.split(`\`\`\`${proxy.language}\n`)[1]?.split('```')[0] ?? '';
  const [before, after] = proxy.around;
  const [placeholder, listening] = proxy.listens;
  if (!block.includes(placeholder)) {
    throw new Error(`docs/proxies.md has no configuration with "${placeholder}".`);
  }
  const configured = block
    .replace(placeholder, listening(port))
    .replace('127.0.0.1:50051', server)
    .replace('port_value: 50051', `port_value: ${new URL(`http://${server}`).port}`)
    .replaceAll(/\/etc\/(ssl|haproxy)\/roster\.example\.(pem|key)/g, 'FOLDER/proxy.pem');
  return (before + configured + after).replaceAll('FOLDER', folder);
}

async function makeCertificate(folder: string): Promise<void> {
  const make =
    'source scripts/certificates.sh; make_certificates "$0"; cat "$0"/tls.{crt,key} >"$0/proxy.pem"';
  await promisify(execFile)('bash', ['-euc', make, folder], { cwd: REPOSITORY });
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  await once(listener, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('There is no free port.');
  }
  return address.port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

// Debian's servers are where only root looks for programs.
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };
}
