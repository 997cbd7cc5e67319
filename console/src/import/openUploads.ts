// The uploads that tabs of this browser have begun and not ended. A server takes only so many at a time, and a tab that is
// closed says nothing. So each tab notes every half minute that it is alive, and another one that needs an upload removes
// those of tabs that are gone. Kept are IDs alone.

interface NotedUpload {
  readonly organization: string;
  readonly importId: string;
  /** When its tab was last alive, in milliseconds. */
  readonly seenAt: number;
}

const KEY = 'user-import.uploads';
const BEAT = 30_000;
/** Browsers slow down the timers of tabs in the background to once a minute. */
const GONE_AFTER = 3 * 60_000;

export class OpenUploads {
  private readonly own = new Map<string, string>();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly now: () => number = Date.now,
  ) {}

  /** Notes an upload of this tab. */
  note(organization: string, importId: string): void {
    this.own.set(importId, organization);
    this.timer ??= setInterval(() => this.beat(), BEAT);
    this.beat();
  }

  /** Forgets an upload that has ended. */
  forget(importId: string): void {
    this.own.delete(importId);
    this.write(this.read().filter((one) => one.importId !== importId));
  }

  /** The uploads into the organisation whose tabs are gone; they are forgotten. */
  takeAbandoned(organization: string): string[] {
    const noted = this.read();
    const isGone = (one: NotedUpload) =>
      one.organization === organization &&
      one.seenAt < this.now() - GONE_AFTER &&
      !this.own.has(one.importId);
    this.write(noted.filter((one) => !isGone(one)));
    return noted.filter(isGone).map(({ importId }) => importId);
  }

  /** The uploads, into any organisation, whose tabs are gone. They stay noted for `takeAbandoned`. */
  gone(): string[] {
    const isGone = (one: NotedUpload) => one.seenAt < this.now() - GONE_AFTER && !this.own.has(one.importId);
    return this.read()
      .filter(isGone)
      .map(({ importId }) => importId);
  }

  private beat(): void {
    const seenAt = this.now();
    const others = this.read().filter(({ importId }) => !this.own.has(importId));
    const own = [...this.own].map(([importId, organization]) => ({ organization, importId, seenAt }));
    this.write([...others, ...own]);
  }

  private read(): NotedUpload[] {
    try {
      return JSON.parse(this.storage.getItem(KEY) ?? '[]') as NotedUpload[];
    } catch {
      return [];
    }
  }

  private write(uploads: readonly NotedUpload[]): void {
    try {
      this.storage.setItem(KEY, JSON.stringify(uploads));
    } catch {
      // A full storage costs no more than a wait for uploads to expire.
    }
  }
}
