// What no page of the console may do: fail in a script, break its security policy, or call anybody but its server.

import { expect, type BrowserContext } from '@playwright/test';

export interface Watch {
  /** Allows errors in the browser's console that match, such as those of a connection to a server that was killed. */
  allow(pattern: RegExp): void;
  /** Allows requests to another origin, such as that of the identity provider. */
  allowOrigin(origin: string): void;
  expectNothing(): void;
}

export function watchContext(context: BrowserContext): Watch {
  const problems: string[] = [];
  const requested = new Set<string>();
  const patterns: RegExp[] = [];
  const origins = new Set<string>();
  let home: string | undefined;
  context.on('console', (message) => {
    // A violation of the policy is an error here too.
    if (message.type() === 'error') {
      problems.push(`${message.text()} (${message.location().url})`);
    }
  });
  context.on('weberror', (error) => problems.push(String(error.error().stack)));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http')) {
      home ??= url.origin;
      requested.add(url.origin);
    }
  });
  return {
    allow: (pattern) => void patterns.push(pattern),
    allowOrigin: (origin) => void origins.add(origin),
    expectNothing: () => {
      const wrong = problems.filter((problem) => !patterns.some((pattern) => pattern.test(problem)));
      expect(wrong, 'errors in the browser').toEqual([]);
      const others = [...requested].filter((origin) => origin !== home && !origins.has(origin));
      expect(others, 'origins that are not the server').toEqual([]);
    },
  };
}
