// Saves files that the page has received.

/** Hands a file to the browser's downloads. */
export function saveFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download begins after this call, and needs the address until then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** "riverton-pd-users-2026-11-30.csv", by the viewer's date. */
export function datedName(prefix: string, extension: string, now = new Date()): string {
  const date = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  return `${prefix}-${date.map((part) => String(part).padStart(2, '0')).join('-')}.${extension}`;
}

/** "812 bytes", "1.2 MB". */
export function sizeInWords(bytes: number): string {
  if (bytes < 1000) {
    return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  }
  const [unit, size] = bytes < 1e6 ? (['kB', 1e3] as const) : (['MB', 1e6] as const);
  return `${(bytes / size).toLocaleString('en-GB', { maximumFractionDigits: 1 })} ${unit}`;
}
