/** A server in front of Temporal that passes calls on, or answers them with a status of gRPC as Temporal and Temporal Cloud do. */
import {
  connect,
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface GrpcStatus {
  readonly status: number;
  readonly message: string;
  /** Only calls of these methods; all without it. */
  readonly methods?: RegExp;
}

export interface GrpcFront {
  readonly address: string;
  /** Answers with this from now on; nothing: passes on. */
  set(answer?: GrpcStatus): void;
  stop(): Promise<void>;
}

const { HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS } = constants;

/** @param upstream host:port. @param tls key and certificate, and what is asked of clients. */
export async function startGrpcFront(upstream: string, tls?: SecureServerOptions): Promise<GrpcFront> {
  let answer: GrpcStatus | undefined;
  const sessions = new Set<ServerHttp2Session>();
  const target = connect(`http://${upstream}`);
  target.on('error', () => undefined);
  const serve = (stream: ServerHttp2Stream, headers: Record<string, unknown>): void => {
    stream.on('error', () => undefined);
    const path = String(headers[HTTP2_HEADER_PATH]);
    if (answer && (answer.methods?.test(path) ?? true))
      return void stream.respond(
        {
          [HTTP2_HEADER_STATUS]: 200,
          'content-type': 'application/grpc',
          'grpc-status': String(answer.status),
          'grpc-message': encodeURIComponent(answer.message),
        },
        { endStream: true },
      );
    const passed = target.request(headers as never, { endStream: false });
    passed.on('error', () => stream.close());
    stream.pipe(passed);
    passed.once('response', (head) => {
      stream.respond(head, { waitForTrailers: true });
      let trailers = {};
      passed.on('trailers', (sent) => (trailers = sent));
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      passed.pipe(stream);
    });
    stream.on('close', () => passed.close());
  };
  const server: Http2Server = tls ? createSecureServer(tls) : createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined).on('close', () => sessions.delete(session));
  });
  server.on('stream', serve as never);
  server.on('sessionError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (next) => void (answer = next),
    async stop() {
      for (const session of sessions) session.destroy();
      target.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
