// Takes the messages of the streams that tell the results of an import: WatchImport, ReviewImport, ApproveImport and
// UndoImport have the same ones.

import type {
  ApproveImportResponse,
  ReviewImportResponse,
  UndoImportResponse,
  WatchImportResponse,
} from '~/gen/userimport/v1/import_service_pb';

import type { ResultStore } from './ResultStore';

export type ResultMessage =
  WatchImportResponse | ReviewImportResponse | ApproveImportResponse | UndoImportResponse;

/** Takes one message. */
export function takeResult(store: ResultStore, { message }: ResultMessage): void {
  switch (message.case) {
    case 'started':
      store.update({ started: message.value });
      break;
    case 'progress':
      store.update({ progress: message.value });
      break;
    case 'results':
      store.add(message.value.results);
      break;
    case 'deactivations':
      store.addDeactivations(message.value.users);
      break;
    case 'summary':
      store.update({ summary: message.value });
      break;
    case undefined:
      break;
  }
}

/** Takes all messages of a stream. Ends as the stream does: a refused import ends with an error, after its summary. */
export async function collectResults(
  stream: AsyncIterable<ResultMessage>,
  store: ResultStore,
): Promise<void> {
  for await (const message of stream) {
    takeResult(store, message);
  }
}
