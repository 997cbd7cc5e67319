/** What is plainly no token, as a sentence; the server says the rest. */
export function tokenFault(entered: string): string | undefined {
  const value = entered.trim();
  if (/\s/.test(value)) {
    return 'A token has no spaces. Copy the token alone.';
  }
  // A header cannot carry anything else.
  return /^[\x21-\x7e]*$/.test(value) ? undefined : 'A token has only letters, digits and punctuation.';
}
