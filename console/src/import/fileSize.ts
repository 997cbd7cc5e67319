/** "812 bytes", "3.4 MB". */
export function fileSize(bytes: number): string {
  const units = ['kB', 'MB', 'GB'];
  if (bytes < 1000) {
    return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  }
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toLocaleString('en-GB', { maximumFractionDigits: 1 })} ${units[power - 1] ?? ''}`;
}
