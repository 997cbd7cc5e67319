// Reads the whole trail, oldest event first, and verifies its chain in the page.

import type { AuditEvent, ListAuditEventsResponse } from '~/gen/userimport/v1/audit_service_pb';

import { AuditChain, ChainBreak, type VerifiedChain } from './chain';

/** What came out. */
export type Verification =
  | { readonly kind: 'whole'; readonly chain: VerifiedChain; readonly count: number }
  /** There is no event at all. */
  | { readonly kind: 'empty' }
  /** Archived events were removed while the trail was read. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'broken'; readonly how: string; readonly verified: number };

interface Trail {
  readonly organization: string;
  /** Reads a page, oldest event first. */
  readonly page: (pageToken: string, pageSize: number) => Promise<ListAuditEventsResponse>;
  readonly onProgress: (verified: number, all: number) => void;
}

const PAGE = 1000;

export async function verifyTrail({ organization, page, onProgress }: Trail): Promise<Verification> {
  const chain = new AuditChain(organization);
  let first: AuditEvent | undefined;
  try {
    for (let token = ''; ;) {
      const { events, head, nextPageToken } = await page(token, PAGE);
      first ??= events[0];
      events.forEach((event) => chain.follow(event));
      onProgress(chain.verified, Number((head?.sequence ?? 0n) - (first?.sequence ?? 1n)) + 1);
      token = nextPageToken;
      if (token === '') {
        const whole = chain.end(head);
        return whole.last === 0n ? { kind: 'empty' } : { kind: 'whole', chain: whole, count: chain.verified };
      }
    }
  } catch (error) {
    if (!(error instanceof ChainBreak)) {
      throw error;
    }
    // A trail that begins later than before lost archived events while it was read.
    const [now] = (await page('', 1)).events;
    return first && now && now.sequence > first.sequence
      ? { kind: 'changed' }
      : { kind: 'broken', how: error.message, verified: chain.verified };
  }
}
