// Why a sign-in at an identity provider failed, in the words of people.

const ANSWERS: Readonly<Record<string, string>> = {
  access_denied: 'The sign-in was cancelled, or you may not use this page.',
  login_required: 'You have to sign in at the identity provider.',
  consent_required: 'You have to agree that this page may know who you are.',
  invalid_scope:
    'The identity provider does not know what this page asks for. An operator has to correct that.',
  unauthorized_client: 'The identity provider does not know this page. An operator has to register it there.',
  temporarily_unavailable: 'The identity provider is not available now. Try again later.',
  server_error: 'The identity provider failed. Try again later.',
};

export function providerFault(thrown: unknown): string {
  if (!(thrown instanceof Error)) {
    return String(thrown);
  }
  const { error, error_description: description } = thrown as {
    error?: unknown;
    error_description?: unknown;
  };
  const words = typeof error === 'string' ? ANSWERS[error] : undefined;
  if (words !== undefined) {
    return typeof description === 'string' && description !== '' ? `${words} It says: ${description}` : words;
  }
  if (/no matching state|no state in response/i.test(thrown.message)) {
    return 'This answer of the identity provider was used already, or was for another tab.';
  }
  if (thrown instanceof TypeError) {
    return 'The identity provider cannot be reached. Check the connection of this computer.';
  }
  return thrown.message;
}
