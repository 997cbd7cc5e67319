// The page as it is built here, in front of a server, for those who write it: with USER_IMPORT_CONSOLE_BUILD=FOLDER
// the tests show that build in place of the one in the server's program.

import { preview, type ProxyOptions } from 'vite';

export interface Front {
  readonly origin: string;
  /** Says where the server is, once it is there. */
  connect(server: string): void;
  close(): Promise<void>;
}

export async function startFront(): Promise<Front | undefined> {
  const build = process.env.USER_IMPORT_CONSOLE_BUILD;
  if (!build) {
    return undefined;
  }
  const connected: ProxyOptions[] = [];
  const configure: ProxyOptions['configure'] = (proxy, options) => {
    connected.push(options);
    // A connection that the server breaks is broken for the page too.
    proxy.on('proxyRes', (answer, _, response) => answer.once('aborted', () => response.destroy()));
  };
  const anyServer = { target: 'http://127.0.0.1:9', configure };
  const front = await preview({
    logLevel: 'error',
    build: { outDir: build },
    preview: {
      host: '127.0.0.1',
      port: 0,
      proxy: { '^/(userimport|grpc)\\.': { ...anyServer }, '/console/sign-in.json': { ...anyServer } },
    },
  });
  const address = front.httpServer.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The page has no port.');
  }
  return {
    origin: `http://127.0.0.1:${address.port}`,
    connect: (server) => connected.forEach((options) => (options.target = server)),
    close: () => front.close(),
  };
}
