// gRPC-Web to the server that this page came from, with the token of this tab.

import { Code, ConnectError, createClient, type Client, type Interceptor } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';

import { AuditService } from '~/gen/userimport/v1/audit_service_pb';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import { ImportService } from '~/gen/userimport/v1/import_service_pb';
import { signInEnded } from '~/session/signInState';
import { token } from '~/session/token';

const authorize: Interceptor = (next) => async (request) => {
  const sent = token();
  if (sent) {
    request.header.set('Authorization', `Bearer ${sent}`);
  }
  const noteEnd = (thrown: unknown): never => {
    const error = ConnectError.from(thrown);
    if (error.code === Code.Unauthenticated) {
      signInEnded(sent, error.rawMessage);
    }
    throw error;
  };
  const response = await next(request).catch(noteEnd);
  // A stream ends with its error long after it has begun.
  return response.stream ? { ...response, message: watched(response.message, noteEnd) } : response;
};

async function* watched<T>(
  messages: AsyncIterable<T>,
  noteEnd: (thrown: unknown) => never,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (thrown) {
    noteEnd(thrown);
  }
}

export const transport = createGrpcWebTransport({ baseUrl: '/', interceptors: [authorize] });

export const imports: Client<typeof ImportService> = createClient(ImportService, transport);
export const directory: Client<typeof DirectoryService> = createClient(DirectoryService, transport);
export const audit: Client<typeof AuditService> = createClient(AuditService, transport);
